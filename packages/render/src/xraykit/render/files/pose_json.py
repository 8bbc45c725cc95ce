"""pose.json: one camera and its pose, readable by eye and by other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..converters.pinhole import unsettle
from ..errors import FileError, GeometryError
from ..geometry.camera import Camera
from ..geometry.rigid import check_pose
from ..storage.atomic_write import write_atomically
from ..storage.json_object import read_json_object
from ..storage.typed_values import is_finite_number

_KEYS = ("camera_to_world", "sdd", "height", "width", "pixel_spacing", "principal_point", "world")
_LIMIT = 1 << 20


def write_pose(path: str | Path, camera: Camera, pose: Tensor) -> None:
    """Write one view as pose.json, whole or not at all.

    The file holds camera_to_world (4x4, RAS mm), sdd [mm], height, width [px], pixel_spacing [row, col] [mm],
    principal_point [x, y] [px] and world "RAS", at full precision.

    Args:
        path: The file to write; an older one is replaced.
        camera: Intrinsics of one view.
        pose: Camera to world, (1, 4, 4) or (4, 4).

    Raises:
        GeometryError: The pose is not rigid, or there is more than one view.
        OutputError: The file cannot be written.
    """
    axes, camera = unsettle(camera, pose.detach().cpu().double())
    if len(axes) != 1:
        raise GeometryError(f"pose.json holds one view, got {len(axes)}; write one file for each.")
    sdd, spacing, centre = (t.detach() for t in camera.tensors(dtype=axes.dtype, device=axes.device))
    content = {
        "camera_to_world": axes[0].tolist(),
        "sdd": float(sdd[0]),
        "height": camera.height,
        "width": camera.width,
        "pixel_spacing": spacing[0].tolist(),
        "principal_point": centre[0].tolist(),
        "world": "RAS",
    }
    rows = ",\n".join(f"    {json.dumps(row)}" for row in content.pop("camera_to_world"))
    rest = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    text = f'{{\n  "camera_to_world": [\n{rows}\n  ],\n{rest}\n}}\n'
    write_atomically(path, lambda file: file.write(text.encode()))


def read_pose(path: str | Path) -> tuple[Camera, Tensor]:
    """Read pose.json; every key must be there and say something legal.

    Args:
        path: The file.

    Returns:
        camera with float fields, pose (1, 4, 4) float64, camera to world RAS [mm].

    Raises:
        FileError: The file is missing, no JSON, has missing or unknown keys, numbers that are not finite, a pose that
            is no rigid motion, sizes or distances that are not positive, or a world other than RAS.
    """
    path = Path(path)
    content = read_json_object(path, what="a pose.json", parse_int=float)
    missing = [key for key in _KEYS if key not in content]
    unknown = sorted(key for key in content if key not in _KEYS)
    if missing or unknown:
        raise FileError(
            f"{path} must hold exactly {', '.join(_KEYS)}, got missing: {', '.join(missing) or 'none'}, "
            f"unknown: {', '.join(unknown) or 'none'}."
        )
    if content["world"] != "RAS":
        raise FileError(f'{path} must say "world": "RAS", got {content["world"]!r}; convert the pose to RAS first.')
    matrix = [_numbers(path, "camera_to_world", row, 4) for row in _list(path, "camera_to_world", content, 4)]
    pose = torch.tensor(matrix, dtype=torch.float64)[None]
    spacing = _numbers(path, "pixel_spacing", content["pixel_spacing"], 2)
    point = _numbers(path, "principal_point", content["principal_point"], 2)
    sdd, height, width = _numbers(path, "sdd, height, width", [content[k] for k in ("sdd", "height", "width")], 3)
    try:
        camera = Camera(sdd, height, width, pixel_spacing=spacing, principal_point=point)  # type: ignore[arg-type]
        check_pose(pose, name="camera_to_world")
    except GeometryError as error:
        raise FileError(f"{path}: {error}") from error
    return camera, pose


def _list(path: Path, key: str, content: dict[str, Any], length: int) -> list[Any]:
    value = content[key]
    if not isinstance(value, list) or len(value) != length:
        raise FileError(f"{path}: {key} must be a list of {length}, got {str(value)[:80]}.")
    return value


def _numbers(path: Path, key: str, value: Any, length: int) -> list[float]:
    entries = _list(path, key, {key: value}, length)
    for entry in entries:
        if not is_finite_number(entry):
            raise FileError(f"{path}: {key} must hold finite numbers, got {entry!r}.")
    return entries
