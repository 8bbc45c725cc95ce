"""result.json: everything that a registration found, with frames, units, versions and settings spelled out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.geometry import check_pose
from xraykit.render.storage import finite_or_none, installed_versions, write_atomically

from ..trust.judgement import TrustJudgement
from ..xray.shot import Shot

if TYPE_CHECKING:
    from ..refine.registration import Registration

FORMAT, SCHEMA = "xraykit.xvr.result", 1
FILE_NAME = "result.json"
PACKAGES = ("xraykit-xvr", "xraykit-render", "torch", "numpy", "timm", "SimpleITK", "pydicom")
FRAMES = {
    "world": "patient RAS as the CT file says, mm: +x right, +y anterior, +z superior",
    "camera": "origin in the X-ray source, mm: x along detector rows to the right, y down, z from source to detector",
    "camera_to_world": "4x4, world = camera_to_world @ (x, y, z, 1)",
    "covariance": "6x6 of the twist (rotation about x, y, z [rad], translation along x, y, z [mm]) in world axes "
    "about the pivot, applied on the left of camera_to_world",
}
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class ResultRecord:
    """What was found for K structures in V views, and how.

    Args:
        structures: K names of rigid structures.
        views: V names of X-rays.
        poses: camera_to_world, (K, V, 4, 4) float64, in the world of the CT, RAS mm.
        start: camera_to_world that the winning refinement began with, (V, 4, 4), or (K, V, 4, 4) where each structure
            had its own.
        cameras: V intrinsics, as refined where that was asked for.
        start_kind: Where the start came from: "network", "dicom", "fixed", ...
        similarity: Mean of mNCC and gradient NCC at the end, -1 to 1; None where nothing was refined.
        terms: The similarities it is made of.
        covariance: (K, 6, 6) of the left twist (w [rad], v [mm]) about `pivot`, or None where it is not determined.
        pivot: (K, 3) [mm], or None together with the covariance.
        view_covariance: (V, K, 6, 6) as `covariance`, where each view has a pose that fits it alone; else None.
        converged: Whether the refinement came to rest.
        seconds: Of the registration.
        trust: The judgement, or None where nothing was refined.
        inputs: The files as the user named them.
        settings: Every option that shaped the result.
        notes: What was assumed, one sentence each.
        doubts: What is doubtful about the files, one sentence each.
        versions: Of the packages at work.
        created: Time in UTC, ISO 8601.

    Raises:
        InputError: Shapes that do not fit together.
        GeometryError: A pose that is no rigid motion.
    """

    structures: tuple[str, ...]
    views: tuple[str, ...]
    poses: Tensor
    start: Tensor
    cameras: tuple[Camera, ...]
    start_kind: str
    similarity: float | None = None
    terms: Mapping[str, float] = field(default_factory=lambda: _NONE)
    covariance: Tensor | None = None
    pivot: Tensor | None = None
    view_covariance: Tensor | None = None
    converged: bool = False
    seconds: float = 0.0
    trust: TrustJudgement | None = None
    inputs: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    settings: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=lambda: installed_versions(PACKAGES))
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def __post_init__(self) -> None:
        k, v = len(self.structures), len(self.views)
        for names in (self.structures, self.views):
            if len(set(names)) < len(names):
                raise InputError(f"structures and views must have different names, got {', '.join(names)}.")
        start = (k, v, 4, 4) if self.start.ndim == 4 else (v, 4, 4)
        shapes = {"poses": (k, v, 4, 4), "start": start, "covariance": (k, 6, 6), "pivot": (k, 3),
                  "view_covariance": (v, k, 6, 6)}  # fmt: skip
        for name, shape in shapes.items():
            tensor: Tensor | None = getattr(self, name)
            if tensor is None:
                continue
            if tuple(tensor.shape) != shape:
                raise InputError(f"{name} must be {shape} for {k} structures in {v} views, got {tuple(tensor.shape)}.")
            object.__setattr__(self, name, tensor.detach().to("cpu", torch.float64))
        if len(self.cameras) != v:
            raise InputError(f"there must be one camera for each of {v} views, got {len(self.cameras)}.")
        check_pose(self.poses.reshape(-1, 4, 4), name="poses")
        check_pose(self.start.reshape(-1, 4, 4), name="start")

    def start_of(self, structure: int) -> Tensor:
        """What the refinement of one structure began with, (V, 4, 4)."""
        return self.start[structure] if self.start.ndim == 4 else self.start


def record_result(
    registration: Registration,
    shots: Sequence[Shot],
    *,
    structures: Sequence[str],
    start_kind: str,
    trust: TrustJudgement | None = None,
    inputs: Mapping[str, Any] = _NONE,
    settings: object = None,
    notes: Sequence[str] = (),
) -> ResultRecord:
    """The record of a registration; notes of the shots come first.

    Args:
        registration: What `register` returned.
        shots: The X-rays it was given.
        structures: A name for each rigid structure.
        start_kind: Where the starts came from.
        trust: The judgement, if there is one.
        inputs: Files as the user named them.
        settings: A dataclass or mapping of options; values that JSON does not know are written as text.
        notes: Further assumptions.
    """
    covariance, by_view = registration.covariance, registration.view_covariance
    determined = bool(torch.isfinite(covariance).all())
    each_determined = determined and by_view is not None and bool(torch.isfinite(by_view).all())
    options: Any = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else settings or {}
    return ResultRecord(
        structures=tuple(structures),
        views=tuple(shot.name for shot in shots),
        poses=registration.poses,
        start=registration.start,
        cameras=tuple(registration.cameras),
        start_kind=start_kind,
        similarity=float(registration.similarity),
        terms={name: float(value) for name, value in registration.terms.items()},
        covariance=covariance if determined else None,
        pivot=registration.pivot if determined else None,
        view_covariance=by_view if each_determined else None,
        converged=bool(registration.converged),
        seconds=float(registration.seconds),
        trust=trust,
        inputs=dict(inputs),
        settings=options,
        notes=tuple(dict.fromkeys([*(note for shot in shots for note in shot.notes), *notes])),
        doubts=tuple(dict.fromkeys(doubt for shot in shots for doubt in shot.doubts)),
    )


def write_result(path: str | Path, record: ResultRecord) -> Path:
    """Write the record as JSON, whole or not at all; `read_result` brings it back.

    Raises:
        InputError: A setting or input that JSON cannot hold.
        OutputError: The file cannot be written.
    """
    try:
        text = json.dumps(result_to_json(record), indent=2, allow_nan=False, default=str)
    except ValueError as error:
        raise InputError(f"the record must hold finite numbers only, got others ({error}).") from error
    return write_atomically(path, lambda file: file.write((text + "\n").encode()))


def result_to_json(record: ResultRecord) -> dict[str, Any]:
    """The record as nested plain values, units in the names."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "created": record.created,
        "versions": dict(record.versions),
        "frames": FRAMES,
        "inputs": dict(record.inputs),
        "start": record.start_kind,
        "views": [
            {"name": name, **_camera(camera), "start_camera_to_world": start.tolist()}
            for name, camera, start in zip(record.views, record.cameras, record.start_of(0), strict=True)
        ],
        "structures": [_structure(record, k) for k in range(len(record.structures))],
        "similarity": record.similarity,
        "similarity_terms": dict(record.terms),
        "converged": record.converged,
        "trust": None if record.trust is None else _trust(record.trust),
        "notes": list(record.notes),
        "doubts": list(record.doubts),
        "settings": dict(record.settings),
        "seconds": record.seconds,
    }


def _camera(camera: Camera) -> dict[str, Any]:
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    return {
        "sdd_mm": float(sdd[0]),
        "height_px": camera.height,
        "width_px": camera.width,
        "pixel_spacing_row_column_mm": spacing[0].tolist(),
        "principal_point_x_y_px": centre[0].tolist(),
    }


def _structure(record: ResultRecord, k: int) -> dict[str, Any]:
    views = zip(record.views, record.poses[k], strict=True)
    found: dict[str, Any] = {
        "name": record.structures[k],
        "camera_to_world": {view: pose.tolist() for view, pose in views},
        "covariance": None,
        "pivot_mm": None,
    }
    if record.start.ndim == 4:
        own = zip(record.views, record.start[k], strict=True)
        found["start_camera_to_world"] = {view: pose.tolist() for view, pose in own}
    if record.covariance is not None and record.pivot is not None:
        spread = record.covariance[k].diagonal().clamp(min=0).sqrt()
        found["covariance"] = record.covariance[k].tolist()
        found["pivot_mm"] = record.pivot[k].tolist()
        if record.view_covariance is not None:
            by_view = zip(record.views, record.view_covariance[:, k], strict=True)
            found["covariance_of_view"] = {view: known.tolist() for view, known in by_view}
        found["standard_deviation_rotation_x_y_z_deg"] = torch.rad2deg(spread[:3]).tolist()
        found["standard_deviation_translation_x_y_z_mm"] = spread[3:].tolist()
    return found


def _trust(trust: TrustJudgement) -> dict[str, Any]:
    return {
        "verdict": trust.verdict,
        "success_probability": trust.success_probability,
        "success_means_target_error_at_most_mm": trust.threshold,
        "expected_target_error_mm": finite_or_none(trust.expected_error),
        "target_error_in_nine_of_ten_below_mm": finite_or_none(trust.error_limit),
        "expected_target_error_of_views_mm": finite_or_none(trust.view_errors),
        "warnings": list(trust.warnings),
        "features": dict(trust.features),
    }
