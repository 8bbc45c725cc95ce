"""Legs painted alone on a grid about a part of them, and measurements of their labels."""

from __future__ import annotations

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from xraykit.render.patient.body.figure import Figure
from xraykit.render.patient.body.joint_angles import LegAngles, Posture
from xraykit.render.patient.body.layers import paint_flesh
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import SIDES, Side, Skeleton
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.leg.leg import leg_flesh, paint_leg_bones
from xraykit.render.volumes.label_names import label_table

IDS = {name: value for value, name in label_table("procedural").items()}
STRAIGHT = LegAngles(abduction=0, internal_rotation=0, knee_flexion=0)


def leg_figure(
    center: tuple[str, tuple[float, float, float]],
    half: tuple[float, float, float],
    spacing: float,
    *,
    angles: LegAngles = STRAIGHT,
    physique: Physique | None = None,
    osteophytes: float = 0.0,
    contrast: float = 0.0,
) -> Figure:
    """An empty figure on a box about a point of a part, both legs held alike."""
    skeleton = Skeleton(physique or Physique(), Posture(leg_right=angles, leg_left=angles))
    middle = skeleton.point(*center)
    canvas = Canvas(middle - half, middle + half, spacing)
    return Figure(canvas, skeleton, IDS, osteophytes=osteophytes, contrast=contrast)


def painted_legs(figure: Figure, *, sides: tuple[Side, ...] = ("right",), seed: int = 0, flesh: bool = False) -> Canvas:
    """The figure's canvas with legs on it."""
    if flesh:
        paint_flesh(figure, [part for side in SIDES for part in leg_flesh(figure, side, seed) if side in sides])
    for side in sides:
        paint_leg_bones(figure, side, seed)
    return figure.canvas


def cloud(canvas: Canvas, label: str) -> NDArray[np.float64]:
    """World positions of a label's voxels, (n, 3)."""
    k, j, i = np.nonzero(canvas.labels == IDS[label])
    return canvas.low + canvas.spacing * np.stack([i, j, k], axis=1)


def local(figure: Figure, frame: str, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points in a bone's frame, in world mm."""
    matrix = figure.skeleton.frames[frame].matrix
    return (points - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T * figure.skeleton.frames[frame].scale


def gap(canvas: Canvas, first: str, second: str) -> float:
    """Least distance between the voxels of two labels [mm]."""
    mask = SimpleITK.GetImageFromArray((canvas.labels == IDS[first]).astype(np.uint8))
    away = SimpleITK.GetArrayFromImage(SimpleITK.SignedMaurerDistanceMap(mask, squaredDistance=False))
    return float(away[canvas.labels == IDS[second]].min()) * canvas.spacing


def count_pieces(canvas: Canvas, label: str) -> int:
    """Connected pieces of a label; neighbours share a corner at least."""
    mask = SimpleITK.GetImageFromArray((canvas.labels == IDS[label]).astype(np.uint8))
    return int(SimpleITK.GetArrayFromImage(SimpleITK.ConnectedComponent(mask, True)).max())
