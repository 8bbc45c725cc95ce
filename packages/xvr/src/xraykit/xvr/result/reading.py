"""Read result.json back, believing nothing in it before it is checked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import Camera, FileError, InputError
from xraykit.render.storage import is_finite_number, kind_at, read_json_object

from ..trust.judgement import TrustJudgement
from .record import FILE_NAME, FORMAT, SCHEMA, ResultRecord

_LIMIT = 1 << 26


def read_result(path: str | Path) -> ResultRecord:
    """The record in result.json, or in the result folder that holds one.

    Args:
        path: The file or its folder.

    Raises:
        FileError: The file is missing, no result, of a schema that this version does not know, or says something that
            no registration can have found.
    """
    path = Path(path)
    path = path / FILE_NAME if kind_at(path) == "folder" else path
    content = _content(path)
    try:
        return _record(content)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise FileError(f"{path} must be a whole result of xvr register, got a damaged one: {missing}.") from error


def _content(path: Path) -> dict[str, Any]:
    content = read_json_object(path, what="a result", most_bytes=_LIMIT)
    if content.get("format") != FORMAT:
        raise FileError(f'{path} must say "format": "{FORMAT}", got another file; name a result of xvr register.')
    if content.get("schema") != SCHEMA:
        raise FileError(f"{path} must have schema {SCHEMA}, got {content.get('schema')!r}; read it with its version.")
    return content


def _record(content: dict[str, Any]) -> ResultRecord:
    views, structures = content["views"], content["structures"]
    names = tuple(str(view["name"]) for view in views)
    if not views or not structures:
        raise InputError("views and structures must not be empty")
    determined = all(structure["covariance"] is not None for structure in structures)
    by_view = determined and all("covariance_of_view" in structure for structure in structures)
    of_views = [[structure["covariance_of_view"][name] for structure in structures] for name in names if by_view]
    similarity, start = content["similarity"], [view["start_camera_to_world"] for view in views]
    if all("start_camera_to_world" in structure for structure in structures):
        start = [[structure["start_camera_to_world"][name] for name in names] for structure in structures]
    return ResultRecord(
        structures=tuple(str(structure["name"]) for structure in structures),
        views=names,
        poses=_tensor([[structure["camera_to_world"][name] for name in names] for structure in structures]),
        start=_tensor(start),
        cameras=tuple(_camera(view) for view in views),
        start_kind=str(content["start"]),
        similarity=None if similarity is None else _number(similarity),
        terms={str(name): _number(value) for name, value in content["similarity_terms"].items()},
        covariance=_tensor([structure["covariance"] for structure in structures]) if determined else None,
        pivot=_tensor([structure["pivot_mm"] for structure in structures]) if determined else None,
        view_covariance=_tensor(of_views) if of_views else None,
        converged=bool(content["converged"]),
        seconds=_number(content["seconds"]),
        trust=None if content["trust"] is None else _trust(content["trust"]),
        inputs=dict(content["inputs"]),
        settings=dict(content["settings"]),
        notes=tuple(str(note) for note in content["notes"]),
        doubts=tuple(str(doubt) for doubt in content.get("doubts", ())),
        versions={str(name): str(value) for name, value in content["versions"].items()},
        created=str(content["created"]),
    )


def _camera(view: dict[str, Any]) -> Camera:
    return Camera(
        sdd=_number(view["sdd_mm"]),
        height=view["height_px"],
        width=view["width_px"],
        pixel_spacing=[_number(value) for value in view["pixel_spacing_row_column_mm"]],
        principal_point=[_number(value) for value in view["principal_point_x_y_px"]],
    )


def _trust(values: dict[str, Any]) -> TrustJudgement:
    return TrustJudgement(
        success_probability=_number(values["success_probability"]),
        threshold=_number(values["success_means_target_error_at_most_mm"]),
        expected_error=_error(values["expected_target_error_mm"]),
        warnings=tuple(str(warning) for warning in values["warnings"]),
        features={str(name): _number(value) for name, value in values["features"].items()},
        error_limit=_error(values.get("target_error_in_nine_of_ten_below_mm")),
        view_errors=tuple(_error(error) for error in values.get("expected_target_error_of_views_mm", ())),
    )


def _error(value: object) -> float:
    return math.inf if value is None else _number(value)


def _tensor(rows: list[Any]) -> Tensor:
    tensor = torch.tensor(rows, dtype=torch.float64)
    if not bool(torch.isfinite(tensor).all()):
        raise InputError("matrices must hold finite numbers")
    return tensor


def _number(value: object) -> float:
    if not is_finite_number(value):
        raise InputError(f"a finite number was expected, got {value!r}")
    return float(value)
