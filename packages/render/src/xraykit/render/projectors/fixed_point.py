"""Sums of lengths whose bits do not depend on the order of the terms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_MANTISSA = 52


def step_of(far: float) -> float:
    """The power of two that divides lengths up to `far` into at most 2^52 steps: 2e-13 mm for a metre.

    Lengths are rounded to whole steps and summed as 64-bit integers, where addition is associative; a sum that
    overflows on the way comes back, because the sums themselves are a few times `far` at most.
    """
    mantissa, exponent = math.frexp(far)
    return math.ldexp(1.0, (exponent - 1 if mantissa == 0.5 else exponent) - _MANTISSA)


def steps_of(far: Tensor) -> Tensor:
    """`step_of` for each of some positive float64 numbers, by their bits, so that no device is waited for."""
    one = 1 << _MANTISSA  # in the exponent
    bits = far.detach().contiguous().view(torch.int64)
    return (((bits + (one - 1)) & -one) - _MANTISSA * one).view(torch.float64)
