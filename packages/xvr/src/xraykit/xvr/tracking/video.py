"""A cine run with what was found drawn on it: one picture a frame, and all of them as a moving picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from xraykit.render import InputError
from xraykit.render.pictures import beside_legend, montage, overlay
from xraykit.render.storage import write_atomically

from ..result.display import Mask, around, compared, dimmed, numbers, resized, xray_window
from ..result.pictures import Picture
from ..xray.shot import Shot
from .groups import BodyGroup
from .result import TrackedFrame, of_groups

LONGER_SIDE = 448
FRAME_MS, FASTEST_MS, COLOURS = 200, 40, 96
GAMMA = 0.8


def frame_picture(frame: TrackedFrame, shots: Sequence[Shot], groups: Sequence[BodyGroup]) -> Picture:
    """The views of a frame beside each other, each with the bodies found, their names and verdicts, (H, W, 3)."""
    names = [name for group in groups for name in group.names]
    pictures = []
    for view, shot in enumerate(shots):
        small = resized(shot, LONGER_SIDE)
        masks = {name: np.zeros(tuple(small.image.shape), dtype=bool) for name in names}
        for group, place in zip(groups, of_groups([group.names for group in groups]), strict=True):
            poses = frame.poses[place, view]
            if bool(torch.isfinite(poses).all()):
                masks |= group.masks(small, poses)
        where = around(small, np.any(list(masks.values()), axis=0))
        pictures.append(overlay(_greys(small, where), masks, opacity=0.12))
    said = ", ".join(
        f"{name} {'LOST' if verdict == 'lost' else verdict}"
        for name, verdict in zip(names, frame.verdicts, strict=True)
    )
    when = "" if frame.time is None else f", {frame.time:.2f} s"
    return beside_legend(montage(pictures, title=f"{frame.label}{when}: {said}", size=11), names)


def _greys(shot: Shot, where: Mask) -> Picture:
    """The X-ray (H, W) as one sees bones in a cine run, over its values in a mask, darker where it is not compared."""
    low, high = xray_window(shot, where)
    share = np.clip((numbers(shot.image) - low) / (high - low), 0, 1) ** GAMMA
    return dimmed(np.round(255 * share).astype(np.uint8), compared(shot))


def write_video(path: str | Path, pictures: Sequence[Picture], *, seconds_per_frame: float | None = None) -> Path:
    """Pictures of one size as a GIF that repeats.

    Args:
        path: Where to.
        pictures: (H, W, 3) each.
        seconds_per_frame: How long each is shown, at least 0.04 s; None is 0.2 s.

    Raises:
        InputError: No picture.
        OutputError: The file cannot be written.
    """
    if not pictures:
        raise InputError("a video needs one picture at least, got none.")
    shown = FRAME_MS if seconds_per_frame is None else max(FASTEST_MS, round(1000 * seconds_per_frame))
    some = pictures[:: max(1, len(pictures) // 4)]
    palette = Image.fromarray(np.concatenate(some)).quantize(COLOURS)
    pages = [Image.fromarray(one).quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    buffer = io.BytesIO()
    pages[0].save(buffer, format="GIF", save_all=True, append_images=pages[1:], duration=shown, loop=0)
    return write_atomically(Path(path), lambda file: file.write(buffer.getvalue()))
