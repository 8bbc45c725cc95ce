"""Power series that replace a quotient where it would divide nothing by nothing."""

from __future__ import annotations

from math import factorial

import torch
from jaxtyping import Float
from torch import Tensor

_SMALL = 0.25  # squared angle below which the series is used: eight terms are exact to float64 there
_COTANGENT = (1 / 12, 1 / 720, 1 / 30240, 1 / 1209600, 1 / 47900160, 691 / 1307674368000, 1 / 74724249600)


def sine_series(squared: Float[Tensor, "*any"], first: int) -> Float[Tensor, "*any"]:
    """The sum over k of (-t^2)^k / (2k + first)!, for `squared` = t^2 >= 0 and first = 1, 2 or 3.

    In closed form sin(t)/t, (1 - cos(t))/t^2 and (t - sin(t))/t^3. Values and gradients are finite at t = 0.
    """
    small = squared < _SMALL
    near = torch.where(small, squared, 0.0)
    series = torch.zeros_like(near)
    for k in reversed(range(8)):
        series = 1 / factorial(2 * k + first) - series * near
    far = torch.where(small, 1.0, squared)
    t = far.sqrt()
    closed = {1: lambda: t.sin() / t, 2: lambda: 2 * (t / 2).sin().square() / far, 3: lambda: (t - t.sin()) / (far * t)}
    return torch.where(small, series, closed[first]())


def cotangent_series(squared: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """(1 - t/2 cot(t/2)) / t^2 for `squared` = t^2 in [0, 4 pi^2), finite at t = 0 (1/12) and at t = pi (1/pi^2)."""
    small = squared < _SMALL
    near = torch.where(small, squared, 0.0)
    series = torch.zeros_like(near)
    for coefficient in reversed(_COTANGENT):
        series = coefficient + series * near
    far = torch.where(small, 1.0, squared)
    half = far.sqrt() / 2
    return torch.where(small, series, (1 - half * half.cos() / half.sin()) / far)
