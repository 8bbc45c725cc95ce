"""The refinement as a moving picture: edges of the DRR drawing in on the X-ray."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.pictures import montage
from xraykit.render.storage import write_atomically

from ..refine.structure import Structure
from ..xray.shot import Shot
from . import display
from .pictures import Picture, edges_on_xray

if TYPE_CHECKING:
    from ..refine.registration import RefinementStep

LONGER_SIDE, COLOURS = 256, 48
FRAME_MS, LAST_FRAME_MS = 120, 1500


def convergence_frames(
    shot: Shot,
    structures: Sequence[Volume | Structure],
    history: Sequence[RefinementStep],
    *,
    view: int = 0,
    most: int = 12,
) -> list[Picture]:
    """One picture for each of at most `most` steps, the first and the last among them.

    Args:
        shot: The X-ray of that view.
        structures: K volumes.
        history: Steps of the refinement, whose poses are (K, V, 4, 4).
        view: Which of the V views the shot is.
        most: Frames, from 2 up; steps in between are left out evenly.

    Returns:
        Pictures (H, W, 3) of one size.

    Raises:
        InputError: An empty history, or fewer than two frames.
    """
    if not history or most < 2:
        raise InputError(f"an animation needs steps and 2 frames or more, got {len(history)} steps, most={most}.")
    shot = display.resized(shot, LONGER_SIDE)
    chosen = sorted({round(n) for n in np.linspace(0, len(history) - 1, most)})
    drrs = [display.render_structures(structures, shot, history[n].poses[:, view]) for n in chosen]
    where = display.around(shot, display.covered(drrs[-1]))
    return [_frame(shot, drr, history[n], n, where) for n, drr in zip(chosen, drrs, strict=True)]


def _frame(shot: Shot, drrs: Tensor, step: RefinementStep, number: int, where: display.Mask) -> Picture:
    picture = edges_on_xray(shot, drrs, where=where)
    caption = f"step {number}, {step.scale} px, similarity {step.similarity:.3f}, {step.seconds:.1f} s"
    return montage([picture], [caption], size=12)


def write_animation(path: str | Path, frames: Sequence[Picture]) -> Path:
    """Write frames of one size as a GIF that repeats, resting on the last frame; few colours keep it small.

    Raises:
        InputError: No frame.
        OutputError: The file cannot be written.
    """
    if not frames:
        raise InputError("an animation needs at least one frame, got none.")
    palette = Image.fromarray(np.concatenate([frames[0], frames[-1]])).quantize(COLOURS)
    pages = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [FRAME_MS] * (len(pages) - 1) + [LAST_FRAME_MS]
    buffer = io.BytesIO()
    pages[0].save(buffer, format="GIF", save_all=True, append_images=pages[1:], duration=durations, loop=0)
    return write_atomically(Path(path), lambda file: file.write(buffer.getvalue()))
