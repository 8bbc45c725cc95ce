"""What every function asks of its arguments: a pose, a whole number, one of several names, one batch size."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Shaped
from torch import Tensor

from ..errors import GeometryError, InputError
from .rigid import check_pose


def check_pose_shape(pose: Shaped[Tensor, "batch 4 4"], *, name: str = "pose") -> Shaped[Tensor, "batch 4 4"]:
    """The pose itself, once it is known to be (B, 4, 4); whether it is rigid is left open.

    Raises:
        GeometryError: Another shape.
    """
    if pose.ndim != 3 or pose.shape[1:] != (4, 4):
        raise GeometryError(f"{name} must be (B, 4, 4), got shape {tuple(pose.shape)}.")
    return pose


def are_independent(columns: Shaped[Tensor, "3 3"]) -> bool:
    """Whether the three columns of a finite matrix, of whatever lengths, span space well enough to be inverted.

    Their directions do if the box that they span has a volume of at least 1e-4: |det [a/|a| b/|b| c/|c|]|. The
    determinant itself also counts lengths: that of two parallel columns is far from 0 once they are long enough.

    Args:
        columns: (3, 3), for instance of an affine [mm].
    """
    columns = columns.double()
    lengths = columns.norm(dim=0)
    return bool((lengths > 0).all()) and abs(float(torch.linalg.det(columns / lengths))) >= 1e-4


def pose_batch(
    pose: Shaped[Tensor, "4 4"] | Shaped[Tensor, "batch 4 4"], *, name: str = "pose"
) -> Shaped[Tensor, "batch 4 4"]:
    """A pose (4, 4) or (B, 4, 4) as a batch (B, 4, 4) of proper rigid motions.

    Rigidity is checked on the CPU and outside `torch.compile`; elsewhere the check would wait for the device.

    Args:
        pose: camera_to_world.
        name: What to call it in the message.

    Raises:
        GeometryError: Another shape, or no rigid motion.
    """
    pose = check_pose_shape(pose[None] if pose.ndim == 2 else pose, name=name)
    if pose.device.type == "cpu" and not torch.compiler.is_compiling():
        check_pose(pose, name=name)
    return pose


def check_samples(samples: int) -> None:
    """Raise InputError unless `samples`, the number of samples per ray, is a positive whole number."""
    if isinstance(samples, bool) or int(samples) != samples or samples < 1:
        raise InputError(f"samples must be a positive whole number, got {samples}.")


def check_choice(value: str, name: str, choices: Iterable[str]) -> str:
    """The value of the option `name` itself, once it is known to be one of the choices.

    Raises:
        InputError: It is none of them; the message lists them.
    """
    choices = tuple(choices)
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}, got {value!r}.")
    return value


def common_batch(**sizes: int) -> int:
    """The batch size that all arguments share, where a batch of one goes with any.

    Raises:
        GeometryError: Two of them differ and neither is 1.

    Example:
        `common_batch(pose=len(pose), camera=len(sdd))`
    """
    several = [size for size in sizes.values() if size != 1]
    if any(size != several[0] for size in several):
        raise GeometryError(f"batch sizes must agree or be 1, got {sizes}.")
    return several[0] if several else 1
