"""Pictures by which one sees at a glance whether a registration is right: overlay, checkerboard, comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.pictures import montage, overlay, save_png, wrap

from ..refine.structure import Structure
from ..xray.shot import Shot
from . import display
from .scale_bar import ScaleBar, scale_bar

Picture = NDArray[np.uint8]
LONGER_SIDE = 640
TITLE = 20  # px, size of its font
TILES = 8
NAMES = ("overlay", "checkerboard", "comparison")


def registration_pictures(
    shot: Shot,
    structures: Sequence[Volume | Structure],
    poses: Tensor,
    *,
    names: Sequence[str],
    title: str,
    pivot: Tensor | None = None,
) -> dict[str, Picture]:
    """The X-ray with the DRR of the structures at the poses found, in three ways.

    - overlay: edges of each structure's DRR, in its colour, on the X-ray.
    - checkerboard: tiles of the X-ray and of the DRR in turn; lines run on across borders where the pose is right.
    - comparison: X-ray, DRR in the X-ray's greys, and their difference (blue: the X-ray is denser; orange: the DRR).

    Greys run over what the X-ray shows where the structures are and beside them, see `display.around`.

    Args:
        shot: The X-ray.
        structures: K volumes.
        poses: camera_to_world of each, (K, 4, 4).
        names: K names for the legend.
        title: Above each picture, in as many lines as its width asks for.
        pivot: A point of the anatomy [mm], (3,); its depth decides how long 50 mm are. None takes the middle of
            the first structure.

    Returns:
        {name: (H, W, 3) uint8}.

    Raises:
        InputError: No structure, or not one pose and one name for each.
    """
    if not len(structures) == len(poses) == len(names) > 0:
        counts = f"{len(structures)} structures, {len(poses)} poses and {len(names)} names"
        raise InputError(f"pictures need one pose and one name for each structure, got {counts}.")
    shot = display.resized(shot, LONGER_SIDE)
    drrs = display.render_structures(structures, shot, poses)
    first = structures[0].volume if isinstance(structures[0], Structure) else structures[0]
    point = first.center if pivot is None else pivot
    bar = scale_bar(shot.camera, poses[0], point)
    both = drrs.sum(dim=0)
    pictures = {
        "overlay": ([bar.drawn_on(edges_on_xray(shot, drrs))], [_legend(names, bar)]),
        "checkerboard": ([bar.drawn_on(checkerboard(shot, both))], [f"X-ray, DRR in turn{bar}"]),
        "comparison": (
            comparison(shot, both),
            ["X-ray", "DRR in the greys of the X-ray", "difference: blue X-ray denser, orange DRR denser"],
        ),
    }
    return {name: montage(*shown, title=_lines(title, shown[0])) for name, shown in pictures.items()}


def write_pictures(folder: str | Path, pictures: dict[str, Picture], *, stem: str = "") -> list[Path]:
    """Write each picture as STEM + NAME.png into an existing folder."""
    return [save_png(Path(folder) / f"{stem}{name}.png", picture) for name, picture in pictures.items()]


def edges_on_xray(shot: Shot, drrs: Tensor, *, where: display.Mask | None = None) -> Picture:
    """Edges of each DRR (K, H, W) in its colour on the X-ray, (H, W, 3); greys as `where` says, None is around them."""
    inside = display.compared(shot)
    edges = {str(k): display.thin_edges(display.numbers(drr)) & inside for k, drr in enumerate(drrs)}
    grey = xray_greys(shot, display.around(shot, display.covered(drrs)) if where is None else where)
    return overlay(grey, edges, opacity=0.9, outline=False)


def checkerboard(shot: Shot, drr: Tensor) -> Picture:
    """Tiles of X-ray and DRR (H, W) in turn, the X-ray at the top left, (H, W, 3)."""
    where = display.around(shot, display.covered(drr[None]))
    xray, other = xray_greys(shot, where), _drr_greys(shot, drr, where)
    height, width = xray.shape
    edge = max(1, math.ceil(max(height, width) / TILES))
    odd = (np.arange(height)[:, None] // edge + np.arange(width) // edge) % 2 == 1
    return np.repeat(np.where(odd, other, xray)[..., None], 3, axis=2)


def comparison(shot: Shot, drr: Tensor) -> list[Picture]:
    """X-ray, DRR (H, W) and their difference, each (H, W, 3)."""
    inside, where = display.compared(shot), display.around(shot, display.covered(drr[None]))
    low, high = display.xray_window(shot, where)
    xray = display.numbers(shot.image)
    matched = display.with_greys_of(display.numbers(drr), xray, where)
    share = np.clip((np.clip(xray, low, high) - np.clip(matched, low, high)) / (0.5 * (high - low)), -1, 1) * inside
    ground = np.array([24.0, 26.0, 30.0])
    blue, orange = np.array([90.0, 180.0, 255.0]), np.array([255.0, 160.0, 40.0])
    colour = np.where(share[..., None] > 0, blue, orange)
    difference = np.round(ground + np.abs(share)[..., None] * (colour - ground)).astype(np.uint8)
    pair = [np.repeat(grey[..., None], 3, axis=2) for grey in (xray_greys(shot, where), _drr_greys(shot, drr, where))]
    return [*pair, difference]


def xray_greys(shot: Shot, where: display.Mask) -> Picture:
    """The X-ray (H, W) in greys over its values in a mask, darker where it is not compared."""
    grey = display.greys(display.numbers(shot.image), display.xray_window(shot, where))
    return display.dimmed(grey, display.compared(shot))


def _drr_greys(shot: Shot, drr: Tensor, where: display.Mask) -> Picture:
    matched = display.with_greys_of(display.numbers(drr), display.numbers(shot.image), where)
    return display.dimmed(display.greys(matched, display.xray_window(shot, where)), display.compared(shot))


def _lines(title: str, pictures: Sequence[Picture]) -> str:
    """The title in lines that are no longer than pictures side by side are wide."""
    return "\n".join(wrap(title, width=sum(picture.shape[1] for picture in pictures), size=TITLE))


def _legend(names: Sequence[str], bar: ScaleBar) -> str:
    colours = ("blue", "red", "orange", "pink", "green", "yellow", "violet")
    if len(names) == 1:
        return f"edges of the DRR{bar}"
    parts = [f"{name} {colours[k]}" if k < len(colours) else name for k, name in enumerate(names)]
    return f"edges of the DRR: {', '.join(parts)}{bar}"
