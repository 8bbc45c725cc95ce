"""Quarter turns and mirror images, which only change the order of patches."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError


def turn_change(quarter_turns: int = 0, *, mirror: bool = False) -> Float[Tensor, "3 3"]:
    """The change of image (3, 3) float64 of `torch.rot90(image, quarter_turns)` after a mirror image left to right.

    For `change_projection`; `turn_patches` does the same to a matrix that exists already.
    """
    change = torch.eye(3, dtype=torch.float64)
    if mirror:
        change = change.new_tensor([[-1, 0, 1], [0, 1, 0], [0, 0, 1]])
    turn = change.new_tensor([[0, 1, 0], [-1, 0, 1], [0, 0, 1]])  # right goes up: x' = y, y' = 1 - x
    for _ in range(quarter_turns % 4):
        change = turn @ change
    return change


def turn_patches(
    matrix: Float[Tensor, "*batch patches patches"],
    *,
    first: tuple[int, bool] = (0, False),
    second: tuple[int, bool] = (0, False),
) -> Float[Tensor, "*batch patches patches"]:
    """The matrix of two images that were mirrored and turned: a permutation of rows and of columns, exact.

    Args:
        matrix: C (..., L, L), L a square number.
        first: What was done to the image of the rows: quarter turns as in `torch.rot90(image, k, (-2, -1))`, after a
            mirror image left to right where true.
        second: The same for the image of the columns.

    Raises:
        InputError: L is no square number.
    """
    size = matrix.shape[-1]
    side = math.isqrt(size)
    if side * side != size or matrix.shape[-2] != size:
        raise InputError(f"matrix must be (..., L, L) with L a square number, got {tuple(matrix.shape)}.")
    patches = matrix.unflatten(-1, (side, side)).unflatten(-3, (side, side))
    for dims, (turns, mirror) in (((-4, -3), first), ((-2, -1), second)):
        patches = patches.flip(dims[1]) if mirror else patches
        patches = torch.rot90(patches, turns, dims)
    return patches.flatten(-2).flatten(-3, -2)
