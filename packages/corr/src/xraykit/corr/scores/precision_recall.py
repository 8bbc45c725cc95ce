"""Average precision of many pairs at once, and what a threshold finds."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError


def pair_average_precision(score: Tensor, positive: Tensor) -> Tensor:
    r"""Average precision of each of N pairs over descending distinct scores.

        AP = sum_n (R_n - R_{n-1}) P_n

    Entries of equal score come together, and nothing is interpolated.

    Args:
        score: (N, ...), any monotonous scale.
        positive: Booleans in the same shape.

    Returns:
        (N,) float64; NaN where nothing is positive.

    Raises:
        InputError: Shapes that differ, or scores that are NaN.
    """
    score, positive = _flat(score, positive)
    if not score.numel():
        return torch.full((len(score),), torch.nan, dtype=torch.float64)
    ordered, order = score.sort(dim=1, descending=True)
    hits = positive.gather(1, order).cumsum(1).double()
    shown = torch.arange(1, score.shape[1] + 1, device=score.device)
    last = torch.ones_like(positive)
    last[:, :-1] = ordered[:, :-1] != ordered[:, 1:]
    at_ends = torch.where(last, hits, 0.0)
    before = torch.zeros_like(hits)
    before[:, 1:] = at_ends[:, :-1].cummax(1).values  # hits of all scores above this one
    gained = torch.where(last, (hits - before) * hits / shown, 0.0).sum(1)
    return gained / hits[:, -1]


def counts_above(score: Tensor, positive: Tensor, threshold: float) -> Tensor:
    """Entries found rightly, found wrongly and missed in each pair, (N, 3) int64; found is score >= threshold.

    Raises:
        InputError: As `pair_average_precision`.
    """
    score, positive = _flat(score, positive)
    found = score >= threshold
    return torch.stack([(found & positive).sum(1), (found & ~positive).sum(1), (~found & positive).sum(1)], dim=1)


def precision_of(right: float, wrong: float) -> float:
    """right / (right + wrong); 0 where nothing was found."""
    return right / (right + wrong) if right + wrong > 0 else 0.0


def recall_of(right: float, missed: float) -> float:
    """right / (right + missed); NaN where nothing was to be found."""
    return right / (right + missed) if right + missed > 0 else float("nan")


def overlap_score(probability: Tensor) -> Tensor:
    """Mean of the rows' maxima, (..., L, L) -> (...): near 0 for two X-rays that share nothing."""
    return probability.amax(dim=-1).mean(dim=-1)


def _flat(score: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    if score.shape != positive.shape or score.ndim < 2 or positive.dtype != torch.bool:
        raise InputError(
            f"scores and booleans must be (N, ...) alike, got {tuple(score.shape)} and {tuple(positive.shape)} of "
            f"{positive.dtype}."
        )
    if bool(score.isnan().any()):
        raise InputError("scores must be numbers, got NaN; the network's output is damaged.")
    return score.detach().flatten(1), positive.flatten(1)
