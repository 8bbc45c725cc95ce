"""Rotations and the numbers that describe them: one pair of functions for eight parameterisations of SO(3).

Every map here is finite, with finite gradients, at the identity and at half a turn; where a parameter is not
determined there (the axis of a zero turn, an Euler angle in gimbal lock) one choice is made and stated.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from .quaternions import (
    quaternion_from_largest_column,
    quaternion_from_rotation,
    quaternion_from_smallest_eigenvector,
    quaternion_outer,
    rotation_from_quaternion,
    symmetric_from_triangle,
    triangle_from_symmetric,
)
from .series import sine_series
from .torch_modes import full_precision

PARAMETERIZATIONS = MappingProxyType(
    {
        "axis_angle": 3,
        "euler_angles": 3,
        "quaternion": 4,
        "quaternion_adjugate": 10,
        "rotation_6d": 6,
        "rotation_9d": 9,
        "rotation_10d": 10,
        "so3_log_map": 3,
    }
)
"""How many numbers each parameterisation takes."""


@full_precision
def rotation_from(
    parameters: Float[Tensor, "*batch numbers"], *, parameterization: str, convention: str = "ZXY"
) -> Float[Tensor, "*batch 3 3"]:
    """The rotation matrix that `parameters` stand for.

    - axis_angle, so3_log_map: rotation vector, axis times angle [rad]; R = exp([v]).
    - euler_angles: (a, b, c) [rad]; R = R_1(a) R_2(b) R_3(c), axes named by `convention`.
    - quaternion: (w, x, y, z) of any positive norm; q and -q give the same R.
    - quaternion_adjugate: upper triangle, row by row, of a symmetric 4x4 matrix; q is its column of largest norm.
    - rotation_6d: the first two rows of R before orthonormalisation (Gram-Schmidt).
    - rotation_9d: a 3x3 matrix, row by row; R is the closest rotation in the Frobenius norm.
    - rotation_10d: as the adjugate, but q is the eigenvector of the smallest eigenvalue.

    Args:
        parameters: (..., n) with n = PARAMETERIZATIONS[parameterization], floating point.
        parameterization: A key of PARAMETERIZATIONS.
        convention: Axes of the Euler angles, three letters of X, Y, Z, the middle one unlike its neighbours.

    Returns:
        (..., 3, 3) in the dtype and on the device of `parameters`.

    Raises:
        InputError: Unknown parameterisation or convention, or a last axis of another size.

    Gradients: finite everywhere except at inputs that stand for no rotation (the zero quaternion or matrix, parallel
        halves of rotation_6d, a rank-one rotation_9d). rotation_9d and rotation_10d have first derivatives only.

    Source: Zhou et al. 2019 (6d), Levinson et al. 2020 (9d), Peretroukhin et al. 2020 (10d), Lin et al. 2022
        (adjugate).
    """
    size = _size(parameterization)
    if not parameters.is_floating_point() or parameters.ndim == 0 or parameters.shape[-1] != size:
        raise InputError(
            f"parameters for {parameterization} must be floating point of shape (..., {size}), "
            f"got {parameters.dtype} of shape {tuple(parameters.shape)}."
        )
    if parameterization == "euler_angles":
        return _rotation_from_euler(parameters, _axes(convention))
    return _MAPS[parameterization][0](parameters)


@full_precision
def parameters_from(
    rotation: Float[Tensor, "*batch 3 3"], *, parameterization: str, convention: str = "ZXY"
) -> Float[Tensor, "*batch numbers"]:
    """The parameters of a rotation matrix: `rotation_from` gives the same matrix back.

    Ranges: rotation vectors have length 0 to pi; quaternions have norm 1 and w >= 0; of Euler angles the outer ones
    lie in [-pi, pi] and the middle one in [-pi/2, pi/2] (three different axes) or [0, pi] (as in ZXZ); in gimbal lock
    the last angle is 0.

    Args:
        rotation: (..., 3, 3) proper rotations, floating point; not checked (see `check_pose`).
        parameterization: A key of PARAMETERIZATIONS.
        convention: Axes of the Euler angles.

    Returns:
        (..., n) in the dtype and on the device of `rotation`.

    Raises:
        InputError: Unknown parameterisation or convention, or a shape other than (..., 3, 3).

    Gradients: finite everywhere; along a direction in which a parameter jumps (half a turn, gimbal lock) they are
        those of the branch that was taken.
    """
    _size(parameterization)
    if not rotation.is_floating_point() or rotation.ndim < 2 or rotation.shape[-2:] != (3, 3):
        raise InputError(
            f"rotation must be floating point of shape (..., 3, 3), got {rotation.dtype} of shape "
            f"{tuple(rotation.shape)}."
        )
    if parameterization == "euler_angles":
        return _euler_from_rotation(rotation, _axes(convention))
    return _MAPS[parameterization][1](rotation)


@full_precision
def rotation_about(axis: str, angle_rad: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 3 3"]:
    """The right-handed rotation (..., 3, 3) about the axis X, Y or Z by `angle_rad` (...)."""
    i = "XYZ".index(axis)
    cos, sin, one, zero = angle_rad.cos(), angle_rad.sin(), torch.ones_like(angle_rad), torch.zeros_like(angle_rad)
    rows = [[one if r == c == i else zero for c in range(3)] for r in range(3)]
    j, k = (i + 1) % 3, (i + 2) % 3
    rows[j][j], rows[j][k], rows[k][j], rows[k][k] = cos, -sin, sin, cos
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def skew(vector: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The matrix [v] (..., 3, 3) of the cross product: [v] x = v x x."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


@full_precision
def rotation_angle(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch"]:
    """The angle (...) in [0, pi] rad by which a rotation (..., 3, 3) turns; gradient 0 at the kinks 0 and pi."""
    sine = torch.linalg.vector_norm(_skew_part(rotation), dim=-1)
    cosine = (rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    return torch.atan2(sine, cosine)


@full_precision
def nearest_rotation(matrix: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 3 3"]:
    """The rotation closest to a matrix (..., 3, 3) in the Frobenius norm: takes the rounding of many products out.

    Use `rotation_from(..., parameterization="rotation_9d")` where gradients at rotations themselves are wanted.
    """
    u, _, vt, _ = _turned_svd(matrix)
    return u @ vt


def _turned_svd(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """U, S, V' of M = U S V' with the last row of V' turned over where U V' is a reflection, and its sign (...)."""
    u, s, vt = torch.linalg.svd(matrix)
    flip = torch.linalg.det(u @ vt).round()
    return u, s, torch.cat([vt[..., :2, :], flip[..., None, None] * vt[..., 2:, :]], dim=-2), flip


def _skew_part(rotation: Tensor) -> Tensor:
    r = rotation
    return torch.stack([r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1) / 2


def _rotation_from_vector(vector: Tensor) -> Tensor:
    """Rodrigues: R = I + sin(t)/t [v] + (1 - cos(t))/t^2 [v]^2, t = |v|."""
    squared = vector.square().sum(-1)
    cross = skew(vector)
    identity = torch.eye(3, dtype=vector.dtype, device=vector.device)
    sine, cosine = sine_series(squared, 1)[..., None, None], sine_series(squared, 2)[..., None, None]
    return identity + sine * cross + cosine * (cross @ cross)


def _vector_from_rotation(rotation: Tensor) -> Tensor:
    """The vector 2 atan2(n, w) / n * (x, y, z), n = |(x, y, z)|, w >= 0; a series for small n."""
    quaternion = quaternion_from_rotation(rotation)
    w, xyz = quaternion[..., :1], quaternion[..., 1:]
    squared = xyz.square().sum(-1, keepdim=True)
    small = squared < 0.01
    ratio = torch.where(small, squared, 0.0) / torch.where(small, w, 1.0).square()
    series = sum((-ratio) ** k / (2 * k + 1) for k in range(9)) / torch.where(small, w, 1.0)
    n = torch.where(small, 1.0, squared).sqrt()
    return 2 * torch.where(small, series, torch.atan2(n, w) / n) * xyz


def _rotation_from_6d(parameters: Tensor) -> Tensor:
    first = torch.nn.functional.normalize(parameters[..., :3], dim=-1)
    second = parameters[..., 3:]
    second = torch.nn.functional.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-2)


def _rotation_from_9d(parameters: Tensor) -> Tensor:
    """Nearest rotation: M = U S V', R = U diag(1, 1, det(U V')) V'.

    The value comes from the decomposition; the derivative from the polar form M = P R, whose differential
    dR = W R obeys P W + W P = dM R' - R dM'. In the basis U that is one division by p_i + p_j, finite also where
    singular values coincide (as they do at every rotation), where the derivative of the decomposition itself is not.
    """
    matrix = parameters.unflatten(-1, (3, 3))
    u, s, vt, flip = _turned_svd(matrix.detach())
    p = torch.cat([s[..., :2], (flip * s[..., 2])[..., None]], dim=-1)
    rotation = u @ vt
    sums = (p[..., :, None] + p[..., None, :]).clamp_min(torch.finfo(p.dtype).eps)
    change = u.mT @ matrix @ rotation.mT @ u
    turn = u @ ((change - change.mT) / sums) @ u.mT
    return rotation + turn @ rotation


def _rotation_from_euler(angles: Tensor, axes: str) -> Tensor:
    first, second, third = (rotation_about(axis, angle) for axis, angle in zip(axes, angles.unbind(-1), strict=True))
    return first @ second @ third


def _euler_from_rotation(rotation: Tensor, axes: str) -> Tensor:
    """The last angle first; with it undone the other two are well conditioned everywhere, gimbal lock included."""
    i, j = "XYZ".index(axes[0]), "XYZ".index(axes[1])
    k = 3 - i - j
    parity = 1 if (j - i) % 3 == 1 else -1
    if axes[0] == axes[2]:
        last = _atan2_or_zero(rotation[..., i, j], parity * rotation[..., i, k])
    else:
        last = _atan2_or_zero(-parity * rotation[..., i, j], rotation[..., i, i])
    rest = rotation @ rotation_about(axes[2], -last)
    first = torch.atan2(parity * rest[..., k, j], rest[..., j, j])
    middle = torch.atan2(parity * rest[..., i, k], rest[..., i, i])
    return torch.stack([first, middle, last], dim=-1)


def _atan2_or_zero(y: Tensor, x: Tensor) -> Tensor:
    """atan2, but 0 with zero gradient where both arguments are rounding noise."""
    locked = x.square() + y.square() < (8 * torch.finfo(x.dtype).eps) ** 2
    return torch.atan2(torch.where(locked, 0.0, y), torch.where(locked, 1.0, x))


def _size(parameterization: str) -> int:
    if parameterization not in PARAMETERIZATIONS:
        raise InputError(
            f"parameterization must be one of {', '.join(PARAMETERIZATIONS)}, got {parameterization!r}"
            f"{'; se3_log_map couples the translation, use se3_exp and se3_log' if 'se3' in parameterization else ''}."
        )
    return PARAMETERIZATIONS[parameterization]


def _axes(convention: str) -> str:
    axes = convention.upper()
    if len(axes) != 3 or set(axes) - set("XYZ") or axes[1] in (axes[0], axes[2]):
        raise InputError(
            "convention must be three letters of X, Y, Z with the middle one unlike its neighbours "
            f"(for instance 'ZXY'), got {convention!r}."
        )
    return axes


_MAPS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "axis_angle": (_rotation_from_vector, _vector_from_rotation),
    "so3_log_map": (_rotation_from_vector, _vector_from_rotation),
    "quaternion": (rotation_from_quaternion, quaternion_from_rotation),
    "quaternion_adjugate": (
        lambda p: rotation_from_quaternion(quaternion_from_largest_column(symmetric_from_triangle(p))),
        lambda r: triangle_from_symmetric(quaternion_outer(r)),
    ),
    "rotation_6d": (_rotation_from_6d, lambda r: r[..., :2, :].flatten(-2)),
    "rotation_9d": (_rotation_from_9d, lambda r: r.flatten(-2)),
    "rotation_10d": (
        lambda p: rotation_from_quaternion(quaternion_from_smallest_eigenvector(symmetric_from_triangle(p))),
        lambda r: -triangle_from_symmetric(quaternion_outer(r)),
    ),
}
