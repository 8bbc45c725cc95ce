"""C-arm angles to camera poses and back, and the four standard views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import GeometryError
from .frames import Vector
from .rigid import rigid_matrix
from .rotations import parameters_from, rotation_about
from .torch_modes import full_precision

Number = float | Sequence[float] | Tensor

# Camera axes x, y, z in patient RAS as columns, all angles zero: the patient faces the detector.
_BASE = ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0))


@full_precision
def carm_pose(
    *,
    sod: Number,
    lao_rao: Number = 0.0,
    cra_cau: Number = 0.0,
    roll: Number = 0.0,
    isocenter: Vector = (0.0, 0.0, 0.0),
    offset: Vector = (0.0, 0.0, 0.0),
) -> Float[Tensor, "batch 4 4"]:
    """The pose (camera to world) of a C-arm that looks at an isocentre.

    R = Rz(lao_rao) Rx(cra_cau) R0 Rz(roll), source = isocenter + offset - sod * (R z). R0 has the patient face the
    detector: camera x to the patient's right, y to the feet, z from back to front.

    Args:
        sod: Distance from the source to the isocentre along the beam [mm], positive.
        lao_rao: Positioner primary angle [degrees]; positive is LAO, the detector moves to the patient's left.
        cra_cau: Positioner secondary angle [degrees]; positive is CRA, the detector moves towards the head.
        roll: Turn of the camera about its own beam axis [degrees]; positive from x towards y, clockwise for the viewer,
            so that the picture turns anticlockwise.
        isocenter: Point that the gantry turns about [mm, world RAS], (3,) or (B, 3).
        offset: Shift of the whole C-arm from there [mm, world RAS], (3,) or (B, 3), along world axes
            whatever the angles.

    Returns:
        (B, 4, 4), where numbers, (B,) and (B, 3) tensors broadcast; in the promoted dtype of the tensors among the
        arguments, or the default dtype where all are numbers.

    Raises:
        GeometryError: A value is not finite, sod is not positive, or shapes do not fit.

    Gradients: to every tensor argument.

    Source: DICOM PS3.3 C.8.7.5.1.2; figures in docs/geometry.md.
    """
    numbers = {"lao_rao": lao_rao, "cra_cau": cra_cau, "roll": roll, "sod": sod}
    points = {"isocenter": isocenter, "offset": offset}
    dtype, device = _common((*numbers.values(), *points.values()))
    batch = {name: _batch(name, value, (), dtype, device) for name, value in numbers.items()}
    batch |= {name: _batch(name, value, (3,), dtype, device) for name, value in points.items()}
    sizes = {name: len(value) for name, value in batch.items() if len(value) > 1}
    if len(set(sizes.values())) > 1:
        raise GeometryError(f"C-arm arguments must have one batch size (or none), got {sizes}.")
    if not torch.compiler.is_compiling() and not bool((batch["sod"] > 0).all()):
        raise GeometryError(f"sod must be positive, got sod={batch['sod'].tolist()} mm.")
    base = torch.tensor(_BASE, dtype=dtype, device=device)
    gantry = rotation_about("Z", batch["lao_rao"].deg2rad()) @ rotation_about("X", batch["cra_cau"].deg2rad())
    rotation = gantry @ base @ rotation_about("Z", batch["roll"].deg2rad())
    source = batch["isocenter"] + batch["offset"] - batch["sod"][:, None] * rotation[..., 2]
    return rigid_matrix(rotation, source)


class CarmAngles(NamedTuple):
    """Where a C-arm stands: angles [degrees] (B,), source position [mm] and unit beam direction (B, 3), world RAS."""

    lao_rao: Float[Tensor, " batch"]
    cra_cau: Float[Tensor, " batch"]
    roll: Float[Tensor, " batch"]
    source: Float[Tensor, "batch 3"]
    beam: Float[Tensor, "batch 3"]


@full_precision
def carm_angles(pose: Float[Tensor, "batch 4 4"]) -> CarmAngles:
    """The C-arm angles of a pose (B, 4, 4): lao_rao and roll in [-180, 180], cra_cau in [-90, 90] degrees.

    Where the beam runs along the patient's axis (cra_cau of 90 or -90) only lao_rao and roll together are determined;
    roll is then 0. A pose has two names, (l, c, r) and (l + 180, 180 - c, r + 180); this is the one in range.
    """
    base = torch.tensor(_BASE, dtype=pose.dtype, device=pose.device)
    turned = pose[..., :3, :3] @ base.mT
    # base Rz(roll) base' turns by roll about the beam of the unturned C-arm, which is the world's y.
    angles = torch.rad2deg(parameters_from(turned, parameterization="euler_angles", convention="ZXY"))
    return CarmAngles(*angles.unbind(-1), source=pose[..., :3, 3], beam=pose[..., :3, 2])


@full_precision
def carm_parameters(
    pose: Float[Tensor, "batch 4 4"], *, isocenter: Vector
) -> dict[str, Float[Tensor, " #views"] | Float[Tensor, "#views 3"]]:
    """The keyword arguments with which `carm_pose` gives this pose (B, 4, 4) again, seen from an isocentre.

    sod is the distance from the source to the isocentre along the beam; offset is what remains across the beam.

    Raises:
        GeometryError: The isocentre lies behind the source or level with it.
    """
    angles = carm_angles(pose)
    centre = _batch("isocenter", isocenter, (3,), pose.dtype, pose.device)
    away = centre - angles.source
    sod = (away * angles.beam).sum(-1)
    if not bool((sod > 0).all()):
        raise GeometryError(
            f"isocenter must lie in front of the source, got {sod.tolist()} mm along the beam; "
            "give a point that the camera looks at."
        )
    offset = sod[:, None] * angles.beam - away
    named = {"lao_rao": angles.lao_rao, "cra_cau": angles.cra_cau, "roll": angles.roll, "sod": sod}
    return {**named, "isocenter": centre.expand_as(offset), "offset": offset}


@dataclass(frozen=True)
class View:
    """A standard view: C-arm angles [degrees], and how its picture is shown to a reader.

    `mirrored_display` is true where the radiographic convention mirrors the projected image left to right. It concerns
    pictures only; arrays, DICOM files and poses hold the image as projected.
    """

    name: str
    lao_rao: float
    mirrored_display: bool
    why: str
    cra_cau: float = 0.0
    roll: float = 0.0

    @property
    def angles(self) -> dict[str, float]:
        """The angles by name, for `carm_pose(**view.angles, sod=..., isocenter=...)`."""
        return {"lao_rao": self.lao_rao, "cra_cau": self.cra_cau, "roll": self.roll}


VIEWS = MappingProxyType(
    {
        view.name: view
        for view in (
            View(
                "ap",
                180.0,
                False,
                "The beam enters at the front and the detector is behind the patient, so the patient's left falls on "
                "the viewer's right, as a radiograph is read, without any flip.",
            ),
            View(
                "pa",
                0.0,
                True,
                "The beam enters at the back and the patient faces the detector, so the patient's right falls on the "
                "viewer's right; radiographs are read as if facing the patient, so the picture is mirrored.",
            ),
            View(
                "lateral_left",
                90.0,
                False,
                "The detector is at the patient's left; the picture is shown as the tube sees it, with the patient's "
                "front on the viewer's right.",
            ),
            View(
                "lateral_right",
                -90.0,
                False,
                "The detector is at the patient's right; the picture is shown as the tube sees it, with the patient's "
                "front on the viewer's left.",
            ),
        )
    }
)
"""The standard views by name: ap, pa, lateral_left, lateral_right."""


def _common(values: tuple[Number | Vector, ...]) -> tuple[torch.dtype, torch.device]:
    """The promoted floating dtype of the tensors among `values`, and the device of those that are not on the CPU."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    floating = [tensor.dtype for tensor in tensors if tensor.is_floating_point()]
    dtype = floating[0] if floating else torch.get_default_dtype()
    for other in floating[1:]:
        dtype = torch.promote_types(dtype, other)
    devices = {tensor.device for tensor in tensors if tensor.device.type != "cpu"}
    if len(devices) > 1:
        raise GeometryError(f"C-arm arguments must share one device, got {sorted(map(str, devices))}.")
    return dtype, devices.pop() if devices else torch.device("cpu")


def _batch(
    name: str, value: Number | Vector, item: tuple[int, ...], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """`value` as a finite tensor (B, *item)."""
    tensor = torch.as_tensor(value, dtype=dtype, device=device)
    if tensor.ndim == len(item):
        tensor = tensor[None]
    if tensor.ndim != len(item) + 1 or tensor.shape[1:] != item or len(tensor) == 0:
        legal = "a number or (B,)" if not item else "(3,) or (B, 3)"
        raise GeometryError(f"{name} must be {legal}, got shape {tuple(torch.as_tensor(value).shape)}.")
    if not torch.compiler.is_compiling() and not bool(torch.isfinite(tensor).all()):
        raise GeometryError(f"{name} must be finite, got {name}={tensor.tolist()}.")
    return tensor
