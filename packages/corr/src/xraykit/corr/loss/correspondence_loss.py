"""How far predicted correspondence is from the truth, over all entries of the matrices or over the annotated ones."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import torch
from torch import Tensor
from torch.nn import functional

from xraykit.render import InputError

MatchLossKind = Literal["mse", "bce", "focal"]
"""mse as in the paper; bce; focal, which turns from entries that are right already and is not calibrated."""
FOCUS = 2.0
POSITIVE = 0.5
"""From which truth on an entry is positive, where positives and negatives are balanced."""
MOST_WEIGHT = 10.0
LEAST = 2.0**-126


class PredictedMatches(Protocol):
    """What a loss needs of a network's output."""

    @property
    def probability(self) -> Tensor:
        """(B, P, L, L), 0 to 1."""
        ...

    @property
    def logits(self) -> Tensor | None:
        """Those of `probability`, or None where the head has none."""
        ...


def match_loss(
    output: PredictedMatches,
    truth: Tensor,
    *,
    kind: MatchLossKind = "mse",
    positive_weight: float = 1.0,
    mask: Tensor | None = None,
    balanced: bool = False,
) -> Tensor:
    r"""Weighted mean of the entries' losses l(c', c) of predicted c' and true c.

        L = sum m w l / sum m w,  w = 1 + (positive_weight - 1) c
        mse: (c' - c)^2
        bce: -c ln c' - (1 - c) ln(1 - c')
        focal: -c (1 - c')^2 ln c' - (1 - c) c'^2 ln(1 - c')

    Balanced: half the mean over positive entries, c >= 0.5, and half the mean over the others; where one kind is
    missing, the mean over the other.

    Args:
        output: Of a matcher for B samples with P pairs of views. bce and focal are taken from its logits if it has
            some, else from probabilities, of which logarithms are taken at 2^-126 or above.
        truth: (B, P, L, L), 0 to 1.
        kind: l.
        positive_weight: Weight of an entry whose truth is 1; see `balancing_weight`.
        mask: m, what each entry counts, >= 0 or booleans, in a shape that broadcasts to the truth's: (B, P, 1, 1) for
            pairs of padded views, (B, P, L, L) for annotated entries. None is 1.
        balanced: Balance positives and negatives.

    Returns:
        A scalar in float32, float64 if the output is; autocast has no say. 0 where nothing counts.

    Raises:
        InputError: Shapes that differ, another kind, a weight that is not above 0.

    Gradients: to the output; of entries with mask 0 exactly none, even if they are not finite.

    Source: Self-Supervised Multiview X-ray Matching, MICCAI 2025 (mse, bce); Lin et al., Focal loss for dense object
        detection, 2017.
    """
    _check(output, truth, kind, positive_weight)
    with torch.autocast(truth.device.type, enabled=False):
        probability, logits = _full(output.probability), None if output.logits is None else _full(output.logits)
        truth = truth.to(probability.dtype)
        weight = 1 + (positive_weight - 1) * truth
        if mask is not None:
            mask = _broadcast(mask, truth)
            counts = mask > 0  # at 0 nothing may come back, not even 0 times infinity
            probability = torch.where(counts, probability, 0.5)
            logits = None if logits is None else torch.where(counts, logits, 0.0)
            truth = torch.where(counts, truth, 0.0)
            weight = torch.where(counts, weight * mask, 0.0)
        losses = _entries(probability, logits, truth, kind)
        if not balanced:
            return (weight * losses).sum() / _at_least_little(weight.sum())
        positive = truth >= POSITIVE
        parts = [torch.where(chosen, weight, 0.0) for chosen in (positive, ~positive)]
        totals = torch.stack([part.sum() for part in parts])
        means = torch.stack([(part * losses).sum() for part in parts]) / _at_least_little(totals)
        return means.sum() / (totals > 0).sum().clamp(min=1)


def balancing_weight(density: float, *, most: float = MOST_WEIGHT) -> float:
    """min((1 - density) / density, most): the weight that makes positives count as much as negatives, within limits.

    Args:
        density: Mean of the truth, above 0 to 1.
        most: Largest weight.

    Raises:
        InputError: A density outside its range.
    """
    if not 0 < density <= 1:
        raise InputError(f"the density of positives must lie above 0 and up to 1, got {density}.")
    return max(min((1 - density) / density, most), 1.0)


def _entries(probability: Tensor, logits: Tensor | None, truth: Tensor, kind: MatchLossKind) -> Tensor:
    if kind == "mse":
        return (probability - truth) ** 2
    if logits is None:
        yes, no = (torch.log(value.clamp(min=LEAST)) for value in (probability, 1 - probability))
    else:
        yes, no = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        probability = torch.sigmoid(logits)
    if kind == "focal":
        yes, no = (1 - probability) ** FOCUS * yes, probability**FOCUS * no
    return -truth * yes - (1 - truth) * no


def _full(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _at_least_little(total: Tensor) -> Tensor:
    return torch.where(total > 0, total, 1.0)


def _broadcast(mask: Tensor, truth: Tensor) -> Tensor:
    try:
        return mask.to(truth.dtype).broadcast_to(truth.shape)
    except RuntimeError as error:
        raise InputError(
            f"the mask must broadcast to the truth's {tuple(truth.shape)}, got {tuple(mask.shape)}."
        ) from error


def _check(output: PredictedMatches, truth: Tensor, kind: str, positive_weight: float) -> None:
    if output.probability.shape != truth.shape or truth.ndim != 4:
        raise InputError(
            f"truth must be (B, P, L, L) as predicted, {tuple(output.probability.shape)}, got {tuple(truth.shape)}; "
            "both need the same patch grid."
        )
    if kind not in get_args(MatchLossKind):
        raise InputError(f"the loss must be one of {', '.join(get_args(MatchLossKind))}, got {kind!r}.")
    if not positive_weight > 0:
        raise InputError(f"the weight of positives must be above 0, got {positive_weight}.")
