"""Matrices in few bytes: 255ths, or one bit for each entry."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError


def pack_matrix(matrix: Float[Tensor, "*batch patches patches"], *, bits: bool = False) -> Tensor:
    """A correspondence matrix as bytes.

    Args:
        matrix: C (..., L, L) in [0, 1].
        bits: One bit per entry, for matrices of zeros and ones (mode "hard"); a 256 x 256 matrix takes 8 KB.

    Returns:
        (..., L, L) uint8 of 255ths, each off by at most 1/510; or (..., L, ceil(L / 8)) with column c in bit c % 8 of
        byte c // 8, exact.

    Raises:
        InputError: An entry outside [0, 1]; with `bits`, one other than 0 and 1.
    """
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2] or not matrix.is_floating_point():
        raise InputError(f"matrix must be (..., L, L) of fractions, got {tuple(matrix.shape)} {matrix.dtype}.")
    if not bool(((matrix >= 0) & (matrix <= 1)).all()):
        raise InputError(f"entries must lie in [0, 1], got {float(matrix.min()):g} to {float(matrix.max()):g}.")
    if not bits:
        return (matrix * 255).round().to(torch.uint8)
    if not bool(((matrix == 0) | (matrix == 1)).all()):
        raise InputError("bits hold zeros and ones only, got fractions; pack them as bytes, or compare them first.")
    padded = torch.nn.functional.pad(matrix.to(torch.uint8), (0, -matrix.shape[-1] % 8))
    places = torch.arange(8, dtype=torch.uint8, device=matrix.device)
    return (padded.unflatten(-1, (-1, 8)) << places).sum(dim=-1, dtype=torch.uint8)


def unpack_matrix(packed: Tensor, *, bits: bool = False) -> Float[Tensor, "*batch patches patches"]:
    """The matrix (..., L, L) float32 in [0, 1] that `pack_matrix` packed.

    Raises:
        InputError: Another type or shape than `pack_matrix` writes with the same `bits`.
    """
    patches = packed.shape[-2] if packed.ndim >= 2 else 0
    width = -(-patches // 8) if bits else patches
    if packed.dtype != torch.uint8 or not patches or packed.shape[-1] != width:
        form = "(..., L, ceil(L / 8))" if bits else "(..., L, L)"
        raise InputError(f"packed must be {form} uint8, got {tuple(packed.shape)} {packed.dtype}.")
    if not bits:
        return packed.to(torch.float32) / 255
    places = torch.arange(8, dtype=torch.uint8, device=packed.device)
    spread = (packed[..., None] >> places & 1).flatten(-2)
    return spread[..., :patches].to(torch.float32)
