"""How well the images determine the answer: a covariance from the similarity's curvature and its scatter."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .motion import Motion
from .objective import Objective

BLOCK = 11
"""Side of the squares [px] within which residuals may be correlated."""


def parameter_covariance(objective: Objective, motion: Motion, curvature: Tensor) -> Tensor:
    r"""The covariance (P, P) of all parameters: twists (w [rad], v [mm]) about pivots, then refined intrinsics [mm].

    At the optimum the slope, a sum of pixels' scores, is zero; it would be so elsewhere had noise and everything else
    that a DRR does not explain (scatter, beam hardening, soft tissue) fallen differently. With H the curvature and
    s_b the sum of the scores in square b of 11 x 11 pixels, taken as independent,

        covariance = H^-1 (sum_b s_b s_b') H^-1.

    A block of it is what is known of some parameters with all others free. Ceilings of scatter follow them: H is what
    is left of the curvature if they do (its Schur complement), and their own scores, which cancel over the image but
    not within a square, are left out. This is the local uncertainty of the right optimum; it knows nothing of wrong
    ones (see trust/) nor of an error common to the whole image.

    Args:
        objective: At the finest scale.
        motion: One candidate.
        curvature: Its H, (P, P), or (P + V, P + V) with the ceilings of V views.

    Source: the sandwich estimator, White, Econometrica 50 (1982), with clustered scores.
    """
    if objective.ceiling is not None:
        curvature = _with_the_last_free(curvature, len(objective.targets))
    inverse = balanced_inverse(curvature)
    return inverse @ score_spread(objective, motion, len(curvature)) @ inverse


def score_spread(objective: Objective, motion: Motion, count: int, blocks: int | None = None) -> Tensor:
    """sum_b s_b s_b' of the first `count` parameters over squares of `BLOCK` pixels, (count, count).

    With `blocks` that many squares lie along the longer side of each view, and none is smaller than `BLOCK`: they hold
    what moves or fades together over a good part of the image.
    """
    views = len(objective.targets)
    spread = torch.zeros(count, count, dtype=torch.float64)
    for view in range(views):
        scores = objective.scores(motion, view)[:count].double() / views
        height, width = scores.shape[1:]
        side = BLOCK if blocks is None else max(BLOCK, -(-max(height, width) // blocks))
        sums = block_sums(scores, side)
        spread = spread + sums @ sums.T
    return spread


def block_sums(maps: Tensor, side: int) -> Tensor:
    """The sums of maps (C, H, W) over squares of `side` pixels, (C, squares)."""
    height, width = maps.shape[1:]
    padded = F.pad(maps[None], (0, -width % side, 0, -height % side))
    return F.avg_pool2d(padded, side)[0].flatten(1) * side**2


def _with_the_last_free(curvature: Tensor, count: int) -> Tensor:
    """The curvature of all other parameters where the last `count` are always at their best."""
    kept, rest = slice(None, -count), slice(-count, None)
    across = curvature[kept, rest]
    return curvature[kept, kept] - across @ balanced_inverse(curvature[rest, rest]) @ across.T


def balanced_inverse(matrix: Tensor) -> Tensor:
    """S pinv(S A S) S with S = diag(A)^(-1/2): A (P, P) of parameters in several units, inverted where determined."""
    scale = matrix.diagonal().clamp_min(1e-30).rsqrt()
    inverse = torch.linalg.pinv(scale[:, None] * matrix * scale, hermitian=True, rtol=1e-9)
    return scale[:, None] * inverse * scale


def twist_blocks(covariance: Tensor, structures: int) -> Tensor:
    """The blocks (K, 6, 6) of K structures' twists, every other parameter marginalised."""
    return torch.stack([covariance[6 * k : 6 * k + 6, 6 * k : 6 * k + 6] for k in range(structures)])
