"""Whether a camera can be that of an X-ray machine, and stand where one can: what speaks against it, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .arrays import tensor_of
from .camera import Camera
from .frames import world_to_voxel

SDD = (300.0, 6000.0)  # mm: specimen cabinets to chest stands
PITCH = 5.0  # mm: the coarsest pixels of a heavily shrunk image
SIDE = (5.0, 2000.0)  # mm: dental sensors to stitched whole bodies


def camera_doubts(
    camera: Camera, pose: Tensor | None = None, *, grids: Sequence[tuple[Tensor, tuple[int, ...]]] = ()
) -> tuple[str, ...]:
    """What no X-ray machine has: one sentence on the intrinsics, and one on a source that stands inside a patient.

    Implausible is a source to detector distance outside 0.3 to 6 m, a pixel pitch above 5 mm, or a detector whose
    longer side is below 5 mm or above 2 m. Mostly a number was given in another unit, or another number.

    Args:
        camera: What to look at; of several the first that is implausible is named.
        pose: Camera to world, (1, 4, 4).
        grids: Affine, voxel to world RAS [mm], (4, 4), and shape (D, H, W) of each volume that is seen.

    Returns:
        Sentences; () where nothing is implausible.
    """
    sdd, spacing, _ = camera.tensors(dtype=torch.float64, device="cpu")
    odd = []
    for distance in sdd.detach().tolist():
        if not SDD[0] <= distance <= SDD[1]:
            odd.append(f"a source to detector distance of {distance:g} mm ({SDD[0]:g} to {SDD[1]:g})")
    for down, across in spacing.detach().tolist():
        if max(down, across) > PITCH:
            odd.append(f"pixels of {max(down, across):g} mm (up to {PITCH:g})")
        side = max(down * camera.height, across * camera.width)
        if not SIDE[0] <= side <= SIDE[1]:
            odd.append(f"a detector of {side:g} mm ({SIDE[0]:g} to {SIDE[1]:g})")
    found = []
    if odd:
        named = " and ".join(dict.fromkeys(odd))
        found.append(f"no X-ray machine has {named}; check sdd and pixel spacing, which are in mm at the detector")
    if pose is not None and any(_is_inside(pose, *grid) for grid in grids):
        found.append("the source lies inside the volume, where no tube can be; check the pose and sod")
    return tuple(found)


def _is_inside(pose: Tensor, affine: Tensor, shape: tuple[int, ...]) -> bool:
    """Whether a source of poses (B, 4, 4) lies between the voxel centres of a grid."""
    pose, affine = tensor_of(pose), tensor_of(affine)
    index = world_to_voxel(pose.detach().cpu().double().reshape(-1, 4, 4)[:, :3, 3], affine.detach().cpu().double())
    last = torch.tensor([size - 1 for size in reversed(shape)], dtype=torch.float64)
    return bool(((index > 0) & (index < last)).all(-1).any())
