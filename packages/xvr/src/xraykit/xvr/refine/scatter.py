"""Scatter in a DRR: how many line integrals an X-ray can show at most."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xraykit.render import Volume

USUAL = 5.0  # nepers: scatter of 0.7 % of the open beam
DEEPEST = 50.0  # nepers: no X-ray goes through more
LOWEST = 1.0  # nepers: a third of the open beam, more than any patient scatters


def with_scatter(lines: Tensor, ceilings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""What an X-ray shows of line integrals if scatter falls on all of it alike.

    A detector counts the primary e^-L and, all over the image, a share s of the open beam, so that the grey of a
    logarithmic X-ray is

        x = -ln(e^-L + s) = -ln(e^-L + e^-c),     dx/dL = 1 / (1 + e^(L - c)),     dx/dc = 1 / (1 + e^(c - L)):

    L as far as the ceiling c = -ln s and no more beyond it. What hardening of the beam, glare and leakage do to greys
    is much alike. Where it is left out, steep edges seem to lie farther out than they do, and a head nearer.

    Args:
        lines: L, (B, 1, H, W).
        ceilings: c, (B,); infinite where there is no scatter.

    Returns:
        x and its two derivatives, each (B, 1, H, W).
    """
    ceilings = ceilings.to(lines)[:, None, None, None]
    below = torch.sigmoid(ceilings - lines)
    return -torch.logaddexp(-lines, -ceilings), below, 1 - below


def usual_ceiling(bodies: Sequence[Volume]) -> float | None:
    """A ceiling to begin with; None where line integrals are too long to be in nepers (masks, other units)."""
    deepest = 0.0
    for body in bodies:
        mu = body.mu if body.mu.is_floating_point() else body.mu.float() * body.mu_scale
        deepest += max(float(mu.sum(axis).max() * body.spacing[2 - axis]) for axis in range(3))
    return USUAL if deepest < DEEPEST else None
