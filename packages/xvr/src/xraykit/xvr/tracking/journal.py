"""frames.jsonl: a header, then a line for each frame as soon as it is done; a killed run loses no whole frame."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from xraykit.render import FileError, OutputError
from xraykit.render.geometry import check_pose
from xraykit.render.storage import finite_or_none, installed_versions, parse_json_object, write_atomically

from .result import Track, TrackedFrame, Verdict

FORMAT, SCHEMA = "xraykit.xvr.track", 1
FILE_NAME = "frames.jsonl"
PACKAGES = ("xraykit-xvr", "xraykit-render", "torch", "numpy")
FRAMES = {
    "camera": "origin in the X-ray source, mm: x along detector rows to the right, y down, z from source to detector",
    "body": "as the mesh file or the CT says, mm",
    "camera_to_body": "4x4 for each view, body = camera_to_body @ (x, y, z, 1); null where the body is lost",
}
_LIMIT = 1 << 30


@dataclass(frozen=True, eq=False)
class TrackHeader:
    """What a journal says of all its frames: see `Track`; inputs as the user named them, notes and doubts on files.

    Notes are those on what is followed and on the first frame; a frame's own doubts are with it.
    """

    bodies: tuple[str, ...]
    views: tuple[str, ...]
    pivots: Tensor
    radii: tuple[float, ...]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def begin_journal(path: Path, header: TrackHeader, frames: Sequence[TrackedFrame] = ()) -> None:
    """Write the header and the frames that there are, whole or not at all, in place of what was there.

    Raises:
        OutputError: The file cannot be written.
    """
    head = {
        "format": FORMAT, "schema": SCHEMA, "versions": installed_versions(PACKAGES), "frames": FRAMES,
        "bodies": list(header.bodies), "views": list(header.views), "pivots_mm": header.pivots.tolist(),
        "radii_mm": list(header.radii), "inputs": dict(header.inputs), "notes": list(header.notes),
        "doubts": list(header.doubts),
    }  # fmt: skip
    lines = [json.dumps(head, allow_nan=False), *(_line(frame) for frame in frames)]
    write_atomically(path, lambda file: file.write(("\n".join(lines) + "\n").encode()))


def add_to_journal(path: Path, frame: TrackedFrame) -> None:
    """Append a frame; when this returns it is on the disk.

    Raises:
        OutputError: The file cannot be written.
    """
    try:
        with path.open("ab") as file:
            file.write((_line(frame) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{path} could not be written ({error.strerror or error}).") from error


def read_journal(path: Path) -> tuple[TrackHeader, tuple[TrackedFrame, ...]]:
    """The header and all whole frames; a last line that a killed run left unfinished is passed over.

    Raises:
        FileError: The file is missing, damaged, or something else.
    """
    try:
        if path.stat().st_size > _LIMIT:
            raise FileError(f"{path} must be a track of at most 1 GiB, got {path.stat().st_size} bytes.")
        *lines, _ = path.read_bytes().split(b"\n")  # what follows the last line end is no whole line
    except OSError as error:
        raise FileError(f"a track was expected at {path}, got {error.strerror or error}; check the path.") from error
    rows = [parse_json_object(line, place=f"{path}, line {n}") for n, line in enumerate(lines, 1)]
    if not rows or rows[0].get("format") != FORMAT or rows[0].get("schema") != SCHEMA:
        raise FileError(f'{path} must say "format": "{FORMAT}" and schema {SCHEMA}; name a result of xvr track.')
    try:
        head = rows[0]
        header = TrackHeader(
            tuple(map(str, head["bodies"])), tuple(map(str, head["views"])),
            torch.tensor(head["pivots_mm"], dtype=torch.float64), tuple(map(float, head["radii_mm"])),
            dict(head["inputs"]), tuple(map(str, head["notes"])), tuple(map(str, head.get("doubts", ()))),
        )  # fmt: skip
        return header, tuple(_frame(row, header) for row in rows[1:])
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} must be a whole track, got a damaged one: {error}.") from error


def read_track(path: str | Path) -> Track:
    """What xvr track found, as it was found: from its folder, or the frames.jsonl in it.

    Raises:
        FileError: The file is missing, damaged, or something else.
    """
    path = Path(path)
    header, frames = read_journal(path / FILE_NAME if path.is_dir() else path)
    return Track(header.bodies, header.views, header.pivots, header.radii, frames)


def _line(frame: TrackedFrame) -> str:
    bodies = zip(frame.poses, frame.verdicts, strict=True)
    return json.dumps(
        finite_or_none({
            "frame": frame.number, "label": frame.label, "time_s": frame.time,
            "camera_to_body": [None if verdict == "lost" else poses.tolist() for poses, verdict in bodies],
            "scores": list(frame.scores), "chances": list(frame.chances), "verdicts": list(frame.verdicts),
            "reasons": list(frame.reasons), "seconds": frame.seconds, "doubts": list(frame.doubts),
        }),
        allow_nan=False,
    )  # fmt: skip


def _frame(row: Mapping[str, Any], header: TrackHeader) -> TrackedFrame:
    count, views = len(header.bodies), len(header.views)
    lost = torch.full((views, 4, 4), torch.nan, dtype=torch.float64)
    poses = [lost if one is None else torch.tensor(one, dtype=torch.float64) for one in row["camera_to_body"]]
    verdicts = tuple(row["verdicts"])
    if not len(poses) == len(verdicts) == len(row["scores"]) == len(row["chances"]) == count:
        raise ValueError(f"frame {row['frame']} does not tell of {count} bodies")
    if not set(verdicts) <= set(get_args(Verdict)):
        raise ValueError(f"unknown verdicts {verdicts}")
    for one, verdict in zip(poses, verdicts, strict=True):
        if tuple(one.shape) != (views, 4, 4) or (verdict == "lost") != bool(one.isnan().all()):
            raise ValueError(f"frame {row['frame']} has poses that do not fit its verdicts")
        if verdict != "lost":
            check_pose(one, name="camera_to_body")
    scores = tuple(math.nan if score is None else float(score) for score in row["scores"])
    return TrackedFrame(
        int(row["frame"]), str(row["label"]), None if row["time_s"] is None else float(row["time_s"]),
        torch.stack(poses), scores, tuple(row["chances"]), verdicts, tuple(map(str, row["reasons"])),
        float(row["seconds"]), tuple(map(str, row.get("doubts", ()))),
    )  # fmt: skip
