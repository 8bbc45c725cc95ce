"""Unit quaternions (w, x, y, z), and the symmetric 4x4 matrices that stand for them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def rotation_from_quaternion(quaternion: Float[Tensor, "*batch 4"]) -> Float[Tensor, "*batch 3 3"]:
    """R (..., 3, 3) of a quaternion (..., 4) of any norm; the zero quaternion, which has no direction, gives I."""
    w, x, y, z = quaternion.unbind(-1)
    scale = 2 / quaternion.square().sum(-1).clamp_min(torch.finfo(quaternion.dtype).tiny ** 0.5)
    rows = [
        1 - scale * (y * y + z * z),
        scale * (x * y - z * w),
        scale * (x * z + y * w),
        scale * (x * y + z * w),
        1 - scale * (x * x + z * z),
        scale * (y * z - x * w),
        scale * (x * z - y * w),
        scale * (y * z + x * w),
        1 - scale * (x * x + y * y),
    ]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def quaternion_from_rotation(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4"]:
    """The unit quaternion (..., 4) with w >= 0 of a rotation (..., 3, 3): the largest column of q q'."""
    quaternion = quaternion_from_largest_column(quaternion_outer(rotation))
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def quaternion_outer(rotation: Float[Tensor, "*batch 3 3"]) -> Float[Tensor, "*batch 4 4"]:
    """The matrix q q' (..., 4, 4), which is linear in R (..., 3, 3) and blind to the sign of q."""
    r = rotation
    xx, yy, zz = r[..., 0, 0], r[..., 1, 1], r[..., 2, 2]
    wx, wy, wz = r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]
    xy, xz, yz = r[..., 0, 1] + r[..., 1, 0], r[..., 0, 2] + r[..., 2, 0], r[..., 1, 2] + r[..., 2, 1]
    rows = [
        [1 + xx + yy + zz, wx, wy, wz],
        [wx, 1 + xx - yy - zz, xy, xz],
        [wy, xy, 1 - xx + yy - zz, yz],
        [wz, xz, yz, 1 - xx - yy + zz],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2) / 4


def quaternion_from_largest_column(matrix: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4"]:
    """The column of largest Euclidean norm of a symmetric matrix (..., 4, 4), divided by that norm.

    Exact for q q' times any non-zero number (up to sign), and a fast stand-in for the dominant eigenvector otherwise.
    The choice of column is piecewise constant and carries no gradient.
    """
    largest = torch.linalg.vector_norm(matrix.detach(), dim=-2).argmax(-1)
    index = largest[..., None, None].expand(*matrix.shape[:-1], 1)
    return torch.nn.functional.normalize(matrix.gather(-1, index)[..., 0], dim=-1)


def quaternion_from_smallest_eigenvector(matrix: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4"]:
    """The unit eigenvector (..., 4) of the smallest eigenvalue of a symmetric matrix (..., 4, 4), up to sign.

    Its differential is the sum over the others of v_i (v_i' dA q) / (l_0 - l_i), which stays finite where the other
    eigenvalues coincide (as in -q q'), where the derivative of the whole decomposition does not.
    """
    values, vectors = torch.linalg.eigh(matrix.detach())
    quaternion, others = vectors[..., :1], vectors[..., 1:]
    gaps = (values[..., 1:] - values[..., :1]).clamp_min(torch.finfo(values.dtype).eps)
    change = others @ ((others.mT @ matrix @ quaternion) / -gaps[..., None])
    return (quaternion + change)[..., 0]


def symmetric_from_triangle(numbers: Float[Tensor, "*batch 10"]) -> Float[Tensor, "*batch 4 4"]:
    """The symmetric matrix (..., 4, 4) whose upper triangle, row by row, is `numbers` (..., 10)."""
    order = torch.tensor([0, 1, 2, 3, 1, 4, 5, 6, 2, 5, 7, 8, 3, 6, 8, 9], device=numbers.device)
    return numbers[..., order].unflatten(-1, (4, 4))


def triangle_from_symmetric(matrix: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 10"]:
    """The upper triangle (..., 10), row by row, of a matrix (..., 4, 4)."""
    order = torch.tensor([0, 1, 2, 3, 5, 6, 7, 10, 11, 15], device=matrix.device)
    return matrix.flatten(-2)[..., order]
