"""Arms painted alone on a grid about a part of them, and measurements of their labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from xraykit.render.patient.arm.arm import arm_flesh, paint_arm_bones
from xraykit.render.patient.body.figure import Figure
from xraykit.render.patient.body.joint_angles import ArmAngles, Posture
from xraykit.render.patient.body.layers import paint_flesh
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import SIDES, Side, Skeleton
from xraykit.render.patient.canvas import Canvas
from xraykit.render.volumes.label_names import label_table

Points = NDArray[np.float64]
IDS: Mapping[str, int] = {name: value for value, name in label_table("procedural").items()}
STRAIGHT = ArmAngles(abduction=0, elbow_flexion=0, finger_flexion=0)


def arm_figure(
    center: tuple[str, tuple[float, float, float]],
    half: tuple[float, float, float],
    spacing: float,
    *,
    angles: ArmAngles = STRAIGHT,
    physique: Physique | None = None,
    osteophytes: float = 0.0,
    contrast: float = 0.0,
) -> Figure:
    """An empty figure on a box about a point of a part, both arms held alike."""
    skeleton = Skeleton(physique or Physique(), Posture(arm_right=angles, arm_left=angles))
    middle = skeleton.point(*center)
    canvas = Canvas(middle - half, middle + half, spacing)
    return Figure(canvas, skeleton, IDS, osteophytes=osteophytes, contrast=contrast)


def painted(figure: Figure, *, sides: tuple[Side, ...] = SIDES, seed: int = 0, flesh: bool = False) -> Canvas:
    """The figure's canvas with the arms on it."""
    if flesh:
        paint_flesh(figure, [part for side in sides for part in arm_flesh(figure, side, seed)])
    for side in sides:
        paint_arm_bones(figure, side, seed)
    return figure.canvas


def cloud(canvas: Canvas, label: str, *, surface: bool = False) -> Points:
    """World positions of a label's voxels, or of those on its surface, (n, 3)."""
    inside = canvas.labels == IDS[label]
    if surface:
        inner = np.logical_and.reduce([np.roll(inside, step, axis) for axis in range(3) for step in (-1, 1)])
        inside &= ~inner
    k, j, i = np.nonzero(inside)
    return canvas.low + canvas.spacing * np.stack([i, j, k], axis=1)


def local(figure: Figure, frame: str, points: Points) -> Points:
    """Points in a bone's frame, in world mm."""
    matrix = figure.skeleton.frames[frame].matrix
    return (points - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T * figure.skeleton.frames[frame].scale


def gap(canvas: Canvas, first: str, second: str) -> float:
    """Least distance between voxels of two labels [mm]."""
    one, two = (cloud(canvas, label, surface=True) for label in (first, second))
    one = one[np.all((one > two.min(axis=0) - 8) & (one < two.max(axis=0) + 8), axis=1)]
    two = two[np.all((two > one.min(axis=0) - 8) & (two < one.max(axis=0) + 8), axis=1)]
    chunks = torch.from_numpy(one).float().split(2000)
    return min(float(torch.cdist(chunk, torch.from_numpy(two).float()).min()) for chunk in chunks)


def pieces(canvas: Canvas, label: str) -> list[int]:
    """Voxels of every connected piece of a label (neighbours share a corner), largest first."""
    left = {tuple(v) for v in np.argwhere(canvas.labels == IDS[label]).tolist()}
    steps = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    sizes = []
    while left:
        edge, size = [left.pop()], 0
        while edge:
            k, j, i = edge.pop()
            size += 1
            near = {(k + a, j + b, i + c) for a, b, c in steps} & left
            left -= near
            edge.extend(near)
        sizes.append(size)
    return sorted(sizes, reverse=True)
