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
    views = len(objective.targets)
    if objective.ceiling is not None:
        curvature = _with_the_last_free(curvature, views)
    count = len(curvature)
    middle = torch.zeros_like(curvature)
    for view in range(views):
        scores = objective.scores(motion, view)[:count].double() / views
        height, width = scores.shape[1:]
        padded = F.pad(scores[None], (0, -width % BLOCK, 0, -height % BLOCK))
        blocks = F.avg_pool2d(padded, BLOCK)[0].flatten(1) * BLOCK**2
        middle = middle + blocks @ blocks.T
    inverse = balanced_inverse(curvature)
    return inverse @ middle @ inverse


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
