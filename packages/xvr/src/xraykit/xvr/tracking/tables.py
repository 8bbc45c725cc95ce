"""Poses and motion over time as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render.geometry import parameters_from, transform_points
from xraykit.render.storage import write_atomically

from .relative import RelativeMotion
from .result import Track

MATRIX = tuple(f"m{row}{column}" for row in range(3) for column in range(4))
POSE_COLUMNS = (
    "frame", "label", "time_s", "body", "verdict", "score", "chance", "x_mm", "y_mm", "z_mm", "turn_x_deg",
    "turn_y_deg", "turn_z_deg", "smoothed", *MATRIX,
)  # fmt: skip


def write_poses(path: str | Path, track: Track) -> Path:
    """A row for each frame and body.

    x, y, z are where the middle of the body lies in the first view's camera (x right, y down, z from the source to the
    detector), turns the rotation vector in the camera's axes since the body was first found, m00 to m23 the upper three
    rows of body_to_camera. What is lost has no numbers.
    """
    places, middles, turns = track.body_to_camera, *told(track)
    rows = []
    for n, frame in enumerate(track.frames):
        for k, body in enumerate(track.bodies):
            numbers = [*middles[n, k].tolist(), *turns[n, k].tolist()]
            rows.append([
                frame.number, frame.label, frame.time, body, frame.verdicts[k], frame.scores[k], frame.chances[k],
                *numbers, track.smoothed, *places[n, k, :3].flatten().tolist(),
            ])  # fmt: skip
    return _write(path, POSE_COLUMNS, rows)


def write_motion(path: str | Path, track: Track, motion: RelativeMotion) -> Path:
    """A row for each frame: the values of the motion, and m00 to m23 of the body in the frame of the reference."""
    columns = ("frame", "label", "time_s", "body", "reference", "smoothed", *motion.values, *MATRIX)
    values = [column.tolist() for column in motion.values.values()]
    rows = [
        [frame.number, frame.label, frame.time, motion.body, motion.reference, motion.smoothed,
         *(column[n] for column in values), *motion.poses[n, :3].flatten().tolist()]
        for n, frame in enumerate(track.frames)
    ]  # fmt: skip
    return _write(path, columns, rows)


def told(track: Track) -> tuple[Tensor, Tensor]:
    """Middles (T, K, 3) [mm] and turns since each body was first found (T, K, 3) [degrees], in the camera's axes."""
    places = track.body_to_camera
    middles = transform_points(places, track.pivots[None, :, None])[:, :, 0]
    turns = torch.full_like(middles, torch.nan)
    for k in range(len(track.bodies)):
        known = torch.isfinite(places[:, k]).flatten(1).all(1)
        if bool(known.any()):
            rotation = places[known, k, :3, :3]
            since = rotation @ rotation[0].mT
            turns[known, k] = torch.rad2deg(parameters_from(since, parameterization="so3_log_map"))
    return middles, turns


def _write(path: str | Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return write_atomically(path, lambda file: file.write(text.getvalue().encode()))


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return value
