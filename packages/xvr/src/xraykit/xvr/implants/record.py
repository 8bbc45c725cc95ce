"""implants.json: where implants were found, with every answer that fits, frames and units spelled out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.geometry import check_pose, rigid_inverse
from xraykit.render.storage import installed_versions, kind_at, read_json_object, write_atomically

from .answers import ImplantAnswer, ImplantRegistration

FORMAT, SCHEMA = "xraykit.xvr.implants", 1
FILE_NAME = "implants.json"
PACKAGES = ("xraykit-xvr", "xraykit-render", "torch", "numpy")
FRAMES = {
    "mesh": "as the mesh file says, mm",
    "camera": "origin in the X-ray source, mm: x along detector rows to the right, y down, z from source to detector",
    "camera_to_mesh": "4x4, mesh = camera_to_mesh @ (x, y, z, 1)",
    "covariance": "6x6 of the twist (rotation about x, y, z [rad], translation [mm]) in the mesh's axes about the "
    "pivot, applied on the left of camera_to_mesh",
}
_LIMIT = 1 << 26


@dataclass(frozen=True, eq=False)
class ImplantRecord:
    """What was found of K implants in V X-rays, and of which files.

    Args:
        implants: K names.
        views: V names of X-rays.
        found: The registration.
        inputs: The files as the user named them.
        settings: Every option that shaped the result.
        notes: What was assumed, one sentence each.
        doubts: What is doubtful, one sentence each.
        versions: Of the packages at work.
        created: Time in UTC, ISO 8601.
    """

    implants: tuple[str, ...]
    views: tuple[str, ...]
    found: ImplantRegistration
    inputs: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: installed_versions(PACKAGES))
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def write_implants(path: str | Path, record: ImplantRecord) -> Path:
    """Write the record as JSON, whole or not at all; `read_implants` brings poses and scores back.

    Raises:
        OutputError: The file cannot be written.
    """
    text = json.dumps(_to_json(record), indent=2, allow_nan=False, default=str)
    return write_atomically(path, lambda file: file.write((text + "\n").encode()))


def read_implants(path: str | Path) -> dict[str, dict[str, tuple[ImplantAnswer, ...]]]:
    """The answers for each implant, the best first: {implant: {view: answers of poses (1, 4, 4)}}.

    Args:
        path: implants.json or the folder that holds it.

    Raises:
        FileError: The file is missing, damaged, or something else.
    """
    path = Path(path)
    path = path / FILE_NAME if kind_at(path) == "folder" else path
    content = read_json_object(path, what="a result of implants", most_bytes=_LIMIT)
    if content.get("format") != FORMAT or content.get("schema") != SCHEMA:
        raise FileError(f'{path} must say "format": "{FORMAT}" and schema {SCHEMA}; name a result of --mesh.')
    try:
        return {
            str(implant["name"]): {
                str(view["name"]): tuple(_answer(answer, str(view["name"])) for answer in implant["answers"])
                for view in content["views"]
            }
            for implant in content["implants"]
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(f"{path} must be a whole result of --mesh, got a damaged one: {error}.") from error


def _answer(answer: dict[str, Any], view: str) -> ImplantAnswer:
    pose = torch.tensor(answer["camera_to_mesh"][view], dtype=torch.float64)[None]
    return ImplantAnswer(check_pose(pose, name="camera_to_mesh"), float(answer["score"]))


def _to_json(record: ImplantRecord) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "created": record.created,
        "versions": dict(record.versions),
        "frames": FRAMES,
        "inputs": dict(record.inputs),
        "views": [{"name": name} for name in record.views],
        "implants": [_implant(record, k) for k in range(len(record.implants))],
        "relative": _relative(record),
        "notes": list(record.notes),
        "doubts": list(record.doubts),
        "settings": dict(record.settings),
        "seconds": record.found.seconds,
    }


def _implant(record: ImplantRecord, k: int) -> dict[str, Any]:
    found = record.found
    spread = found.covariance[k].diagonal().clamp_min(0).sqrt()
    return {
        "name": record.implants[k],
        "score": float(found.score[k]),
        "outline_seen": float(found.seen[k]),
        "converged": bool(found.converged[k]),
        "pivot_mm": found.pivot[k].tolist(),
        "covariance": found.covariance[k].tolist(),
        "standard_deviation_rotation_x_y_z_deg": torch.rad2deg(spread[:3]).tolist(),
        "standard_deviation_translation_x_y_z_mm": spread[3:].tolist(),
        "answers": [
            {"score": answer.score, "camera_to_mesh": _by_view(record, answer.poses)} for answer in found.answers[k]
        ],
    }


def _relative(record: ImplantRecord) -> list[dict[str, Any]]:
    """Where every further implant lies in the frame of the first."""
    first = record.found.poses[0, 0]
    return [
        {"of": name, "in": record.implants[0], "matrix": (first @ rigid_inverse(record.found.poses[k, 0])).tolist()}
        for k, name in enumerate(record.implants)
        if k > 0
    ]


def _by_view(record: ImplantRecord, poses: Tensor) -> dict[str, Any]:
    return {view: pose.tolist() for view, pose in zip(record.views, poses, strict=True)}
