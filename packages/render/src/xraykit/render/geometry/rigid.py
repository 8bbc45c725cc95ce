"""Rigid motions: 4x4 matrices [R t; 0 1], their exponential map, and the check that a pose is one of them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import GeometryError
from .rotations import parameters_from, rotation_angle, rotation_from, skew
from .series import cotangent_series, sine_series
from .torch_modes import full_precision

_TOLERANCE = 1e-4


@full_precision
def rigid_matrix(
    rotation: Float[Tensor, "*#batch 3 3"], translation: Float[Tensor, "*#batch 3"]
) -> Float[Tensor, "*batch 4 4"]:
    """The motion x -> R x + t as a matrix.

    Args:
        rotation: (..., 3, 3).
        translation: (..., 3) [mm]; leading axes of the two broadcast.

    Returns:
        (..., 4, 4) in the promoted dtype of the two.

    Raises:
        GeometryError: The shapes are not (..., 3, 3) and (..., 3) with leading axes that broadcast.
    """
    if rotation.shape[-2:] != (3, 3) or translation.shape[-1:] != (3,):
        raise GeometryError(
            f"rotation and translation must be (..., 3, 3) and (..., 3), got {tuple(rotation.shape)} and "
            f"{tuple(translation.shape)}."
        )
    try:
        # (torch.broadcast_shapes would import sympy, two seconds before the first pose)
        leading = torch.broadcast_tensors(rotation[..., 0, 0], translation[..., 0])[0].shape
    except RuntimeError as error:
        raise GeometryError(
            f"the leading axes of rotation {tuple(rotation.shape)} and translation {tuple(translation.shape)} "
            "must broadcast; give equal batch sizes or a batch of one."
        ) from error
    dtype = torch.promote_types(rotation.dtype, translation.dtype)
    rotation = rotation.to(dtype).expand(*leading, 3, 3)
    translation = translation.to(dtype).expand(*leading, 3)
    last = torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=dtype, device=rotation.device).expand(*leading, 1, 4)
    return torch.cat([torch.cat([rotation, translation[..., None]], dim=-1), last], dim=-2)


@full_precision
def rigid_inverse(motion: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """The motion (..., 4, 4) that undoes a rigid motion: [R' -R't; 0 1], exact in R where `inverse` would round."""
    rotation = motion[..., :3, :3].mT
    return rigid_matrix(rotation, -(rotation @ motion[..., :3, 3:])[..., 0])


@full_precision
def compose(*motions: Float[Tensor, "*#batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
    """The product A B C ... of motions (..., 4, 4): the last one acts first, as in A (B (C x))."""
    if not motions:
        raise GeometryError("compose needs at least one motion, got none.")
    product = motions[0]
    for motion in motions[1:]:
        product = product @ motion
    return product


@full_precision
def transform_points(
    motion: Float[Tensor, "*#batch 4 4"], points: Float[Tensor, "*#batch points 3"]
) -> Float[Tensor, "*batch points 3"]:
    """Points (..., N, 3) moved by a motion or affine map (..., 4, 4); leading axes broadcast."""
    return points @ motion[..., :3, :3].mT + motion[..., None, :3, 3]


@full_precision
def se3_exp(parameters: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 4 4"]:
    """The rigid motion exp([u, w]): R = exp([w]), t = V u.

    V = I + (1 - cos(a))/a^2 [w] + (a - sin(a))/a^3 [w]^2, a = |w|.

    Args:
        parameters: (..., 6), translation part u [mm] first, then the rotation vector w [rad].

    Returns:
        (..., 4, 4) in the dtype of `parameters`.

    Raises:
        GeometryError: The last axis is not 6.

    Gradients: finite everywhere, at w = 0 included.
    """
    if parameters.shape[-1:] != (6,):
        raise GeometryError(f"se3 parameters must be (..., 6), got shape {tuple(parameters.shape)}.")
    u, w = parameters[..., :3], parameters[..., 3:]
    squared = w.square().sum(-1)[..., None, None]
    cross = skew(w)
    identity = torch.eye(3, dtype=w.dtype, device=w.device)
    v = identity + sine_series(squared, 2) * cross + sine_series(squared, 3) * (cross @ cross)
    return rigid_matrix(rotation_from(w, parameterization="so3_log_map"), (v @ u[..., None])[..., 0])


@full_precision
def se3_log(motion: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 6"]:
    """The parameters (..., 6), [u, w] with |w| <= pi, for which `se3_exp` gives this rigid motion (..., 4, 4).

    u = (I - [w]/2 + (1 - a/2 cot(a/2))/a^2 [w]^2) t, a = |w|; finite with finite gradients at a = 0 and a = pi.
    """
    w = parameters_from(motion[..., :3, :3], parameterization="so3_log_map")
    cross = skew(w)
    t = motion[..., :3, 3:]
    turned = cross @ t
    u = t - turned / 2 + cotangent_series(w.square().sum(-1)[..., None, None]) * (cross @ turned)
    return torch.cat([u[..., 0], w], dim=-1)


@full_precision
def geodesic_distance(
    first: Float[Tensor, "*#batch 4 4"], second: Float[Tensor, "*#batch 4 4"]
) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """How far apart two poses (..., 4, 4) are: the turn between them [degrees] and the distance of origins [mm].

    For camera poses the second number is the distance between the two X-ray sources. Gradients stay finite where the
    poses coincide, though both distances have a kink there.
    """
    angle = torch.rad2deg(rotation_angle(first[..., :3, :3].mT @ second[..., :3, :3]))
    return angle, torch.linalg.vector_norm(first[..., :3, 3] - second[..., :3, 3], dim=-1)


@full_precision
def check_pose(pose: Float[Tensor, "batch 4 4"], *, name: str = "pose") -> Float[Tensor, "batch 4 4"]:
    """The pose itself, once it is known to be a batch of proper rigid motions.

    Args:
        pose: camera_to_world, (B, 4, 4), floating point.
        name: What to call it in the message.

    Raises:
        GeometryError: Another shape or type, a number that is not finite, a last row other than 0 0 0 1, or a 3x3
            part that reflects, scales or shears by more than 1e-4.
    """
    if pose.ndim != 3 or pose.shape[1:] != (4, 4) or len(pose) == 0 or not pose.is_floating_point():
        raise GeometryError(
            f"{name} must be floating point of shape (B, 4, 4), got {pose.dtype} of shape {tuple(pose.shape)}."
        )
    matrix = pose.detach().to("cpu", torch.float64)
    for index, item in enumerate(matrix):
        fault = _fault(item)
        if fault:
            raise GeometryError(f"{name}[{index}] must be a rigid motion (rotation and translation), got {fault}.")
    return pose


def _fault(matrix: Tensor) -> str | None:
    """What keeps one 4x4 matrix from being a rigid motion, or None."""
    if not bool(torch.isfinite(matrix).all()):
        return f"numbers that are not finite: {matrix.tolist()}"
    if not torch.equal(matrix[3], matrix.new_tensor([0.0, 0.0, 0.0, 1.0])):
        return f"the last row {matrix[3].tolist()}; expected 0 0 0 1 (is the matrix transposed?)"
    rotation = matrix[:3, :3]
    gram, identity = rotation.mT @ rotation, torch.eye(3, dtype=matrix.dtype)
    scale = float(gram.diagonal().mean().sqrt())
    if float((gram - identity).abs().max()) > _TOLERANCE:
        if scale > 0 and float((gram / scale**2 - identity).abs().max()) <= _TOLERANCE:
            return f"a scaling by {scale:.6g}; divide the 3x3 part by it"
        return f"a 3x3 part whose columns are not orthonormal, R'R = {gram.tolist()}"
    if float(torch.linalg.det(rotation)) < 0:
        return "a reflection (determinant -1); negate one axis, for instance the mirrored image axis of the camera"
    return None
