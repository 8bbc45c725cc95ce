"""Standard views on a labelled volume: find target and frame, check that the anatomy is there, place the camera."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.carm import carm_angles
from ..volumes.volume import Volume
from .anatomy import Anatomy, anatomy_of
from .axes import ViewFrame
from .catalogue import STANDARD_VIEWS
from .definition import StandardView
from .placement import CameraPlacement, camera_axes, place
from .view_frames import PointsByName, view_frame

ANGLE_SPREAD, SHIFT_SPREAD = 5.0, 20.0  # of the small random variation [degrees, mm]
MARGIN = 0.25  # least distance from a target to where the volume cuts the body, over the field (or volume)
LARGEST_CUT = 0.3  # of the mean cross-section of a body that must be whole


@dataclass(frozen=True, eq=False)
class ViewPlan:
    """A view of one patient, ready to render.

    Args:
        name: Of the view.
        camera: Intrinsics.
        pose: Camera to world, (1, 4, 4) float64.
        mirrored_display: As `View.mirrored_display`; arrays are never mirrored.
        targets: The labels (or the landmark) that the target was found from.
        metadata: What was chosen, as JSON-able numbers and words.
    """

    name: str
    camera: Camera
    pose: Tensor
    mirrored_display: bool
    targets: tuple[str, ...]
    metadata: Mapping[str, Any]


class Aim(NamedTuple):
    """Where a view looks on one patient: target (3,) world [mm], frame, and the names that the target came from."""

    target: Tensor
    frame: ViewFrame
    targets: tuple[str, ...]


def standard_view(
    volume: Volume,
    name: str,
    *,
    size: tuple[int, int] = (256, 256),
    rng: np.random.Generator | None = None,
    landmarks: PointsByName | None = None,
    zoom: float = 1.0,
) -> ViewPlan:
    """Camera and pose of a standard view of a labelled volume.

    The central ray passes through the view's target; the detector is the view's distance from the source and close
    behind the body; the image shows at least the view's field.

    Args:
        volume: With named labels (TotalSegmentator's names, appendicular bones with their side: tibia_left).
        name: One of `STANDARD_VIEWS`.
        size: Detector rows and columns [px].
        rng: Adds the variation of daily practice: up to 5 degrees each in a, b and about the beam, and 20 mm along
            each world axis, all uniform. None is the exact view.
        landmarks: Named world points [mm]; nasion, acanthion, ear canals and orbits make skull views exact.
        zoom: How much narrower than the view's own the field is: 2 shows half its width and height around the target.

    Raises:
        InputError: No view has this name, labels that it needs are absent, or zoom is not positive.
        GeometryError: Needed anatomy is cut by the border of the volume, or the target lies at the border.
    """
    view = find_view(name)
    if not 0 < zoom < math.inf:
        raise InputError(f"zoom must be a positive number, got {zoom}.")
    field = (view.field[0] / zoom, view.field[1] / zoom)
    body = anatomy_of(volume)
    aim = aim_of(view, body, landmarks)
    turn, shift = (np.zeros(3), np.zeros(3)) if rng is None else (rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3))
    a, b, roll = (float(v) for v in np.array([view.a, view.b, 0.0]) + ANGLE_SPREAD * turn)
    axes = aim.frame.axes @ camera_axes(a, b, up=view.up, roll=roll)
    target = aim.target + torch.from_numpy(SHIFT_SPREAD * shift)
    placed = place(target, axes, sdd=view.sid, field=field, size=size, body=body.body)
    metadata = {
        "view": view.name,
        "region": view.region,
        "side": view.side,
        "pose_limited": view.pose_limited,
        "frame": view.frame,
        "frame_from": aim.frame.basis,
        "a": a,
        "b": b,
        **describe(placed, target, field=field),
        "mirrored_display": view.mirrored_display,
        "targets": list(aim.targets),
    }
    return ViewPlan(view.name, placed.camera, placed.pose, view.mirrored_display, aim.targets, metadata)


def describe(placed: CameraPlacement, target: Tensor, *, field: tuple[float, float]) -> dict[str, Any]:
    """A placement in the words of `carm_pose`, with the field that it must show and whether it keeps off the body."""
    angles = carm_angles(placed.pose)
    turned = {name: round(float(getattr(angles, name)), 6) for name in ("lao_rao", "cra_cau", "roll")}
    distances = {"sdd": placed.camera.sdd_mm, "sod": placed.sod, "isocenter": target.tolist()}
    return {**turned, **distances, "field": list(field), "clear": placed.clear}


def applicable_views(
    volume: Volume, *, landmarks: PointsByName | None = None, pose_limited: bool = False
) -> tuple[str, ...]:
    """The names of the standard views that `standard_view` accepts for a volume.

    A view fits if every label that it needs fills at least 0.2 cm^3; if no body that it must show whole is cut by the
    border of the volume in more than 0.3 of its mean cross-section; and if the border cuts nothing of the body off
    within a quarter of the field's shorter side (or of the volume's shortest edge) around the target.

    Args:
        volume: With named labels.
        landmarks: As in `standard_view`.
        pose_limited: Also those that need a limb flexed or raised, which no camera can do.

    Raises:
        InputError: The volume has no named labels.
    """
    reasons = view_obstacles(volume, landmarks=landmarks)
    return tuple(n for n, why in reasons.items() if not why and (pose_limited or not STANDARD_VIEWS[n].pose_limited))


def view_obstacles(volume: Volume, *, landmarks: PointsByName | None = None) -> dict[str, str]:
    """Of every standard view the sentence that says why this volume cannot show it; "" where it can."""
    body = anatomy_of(volume)
    reasons = {}
    for name, view in STANDARD_VIEWS.items():
        try:
            aim_of(view, body, landmarks)
            reasons[name] = ""
        except InputError as error:
            reasons[name] = str(error)
    return reasons


def aim_of(view: StandardView, body: Anatomy, landmarks: PointsByName | None = None) -> Aim:
    """Where a view looks on one patient.

    Raises:
        InputError: Labels that it needs are absent.
        GeometryError: See `applicable_views`.
    """
    landmarks = {} if landmarks is None else landmarks
    target = view.target
    missing = [part for part in (*target.parts, *target.needs) if not body.labels(part)]
    if missing:
        named = " and ".join(part.replace("|", " or ") for part in missing)
        raise InputError(
            f"view {view.name} needs {named}, which this volume does not show; applicable_views lists those that fit."
        )
    for part in target.uncut:
        if (share := body.cut_share(part)) > LARGEST_CUT:
            raise GeometryError(
                f"view {view.name} must show {part.replace('|', ' or ')} whole, but the border of the volume cuts it "
                f"(by {share:.1f} of its cross-section); use a larger volume."
            )
    frame = view_frame(view.frame, body, view.side, landmarks)
    point, targets = _point(view, body, landmarks)
    point = point + frame.axes @ torch.tensor(target.offset, dtype=torch.float64)
    _check_surroundings(view, body, point)
    return Aim(point, frame, targets)


def _check_surroundings(view: StandardView, body: Anatomy, point: Tensor) -> None:
    edges = torch.linalg.inv(body.world_to_voxel)[:3, :3].norm(dim=0) * torch.tensor(body.shape)
    least = MARGIN * min(*view.field, float(edges.min()))
    distance = body.distance_to_cut(point) if body.contains(point) else 0.0
    if distance < least:
        raise GeometryError(
            f"view {view.name} needs {least:.0f} mm of the body around its target, but the border of the volume cuts "
            f"it off after {distance:.0f} mm; use a larger volume."
        )


def _point(view: StandardView, body: Anatomy, landmarks: PointsByName) -> tuple[Tensor, tuple[str, ...]]:
    target = view.target
    if target.landmark and target.landmark in landmarks:
        return torch.as_tensor(landmarks[target.landmark], dtype=torch.float64), (target.landmark,)
    targets = tuple(body.names[value] for part in target.parts for value in body.labels(part))
    if target.kind == "joint":
        return body.joint(target.parts[0], target.parts[1]), targets
    cloud = body.cloud(*target.parts)
    return (cloud.amin(dim=0) + cloud.amax(dim=0)) / 2, targets


def find_view(name: str, *, also: Sequence[str] = ()) -> StandardView:
    """The standard view of this name.

    Raises:
        InputError: There is none; the sentence offers the nearest names, those in `also` among them.
    """
    if name in STANDARD_VIEWS:
        return STANDARD_VIEWS[name]
    near = difflib.get_close_matches(name, [*also, *STANDARD_VIEWS], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`xraykit render views` lists them."
    raise InputError(f"no view is called {name!r}; {hint}")
