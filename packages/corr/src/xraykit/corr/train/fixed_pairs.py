"""Pairs of held-out patients that stay the same through a training, and how a matcher and the priors do on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from xraykit.render.evaluation import auroc

from ..network.matcher import MatchNetwork
from ..scores.epipolar import epipolar_band
from ..scores.match_scores import MatchTally
from ..scores.precision_recall import overlap_score
from ..scores.priors import patch_means, thinner_patch

BATCH = 16
Predict = Callable[[slice], Tensor]


@dataclass(frozen=True, eq=False)
class FixedPairs:
    """N pairs of views that are only looked at.

    Args:
        images: (N, 2, 1, S, S) float32 in [0, 1], bone bright.
        truth: (N, L, L) float32; 0 for unrelated pairs.
        related: Whether both views are of one patient, (N,) bool.
        projections: Image projections of both views, (N, 2, 3, 4) float64.
        names: N names.
        patients: Patient of the first view of each.
        thickness: Tissue in the beam of each patch [mm], (N, 2, L), or empty.
    """

    images: Tensor
    truth: Tensor
    related: Tensor
    projections: Tensor
    names: tuple[str, ...]
    patients: tuple[str, ...]
    thickness: Tensor = field(default_factory=lambda: torch.empty(0))

    @property
    def grid(self) -> int:
        """G, patches along an edge."""
        return math.isqrt(self.truth.shape[-1])

    def score(self, predict: Predict) -> tuple[MatchTally, Tensor]:
        """Scores of the related pairs, and the overlap score of every pair, (N,).

        Args:
            predict: Gives the prediction (n, L, L) for a slice of the pairs.
        """
        tally, overlaps = MatchTally(), []
        for part in _parts(len(self.truth)):
            predicted = predict(part).float().cpu()
            overlaps.append(overlap_score(predicted))
            chosen = self.related[part]
            names = [name for name, use in zip(self.names[part], chosen.tolist(), strict=True) if use]
            patients = [name for name, use in zip(self.patients[part], chosen.tolist(), strict=True) if use]
            tally.add(predicted[chosen], self.truth[part][chosen], pairs=names, patients=patients)
        return tally, torch.cat(overlaps)


def network_scores(
    network: MatchNetwork, pairs: FixedPairs, device: torch.device, *, low_precision: bool = False
) -> dict[str, float]:
    """Columns of the curve: how a matcher does on fixed pairs; it stays in its mode.

    Args:
        network: On `device`.
        pairs: Held out.
        device: Where to compute.
        low_precision: In bfloat16, as it trains; the head stays in float32.

    Returns:
        ap_macro, ap_micro, precision and recall at 0.5, best_threshold with precision and recall there, mse; and
        overlap_auroc, where there are both: how well the second head, or the mean of the rows' maxima without one,
        tells related pairs from unrelated ones.
    """
    was_training = network.training
    network.eval()
    told: list[Tensor] = []

    def predict(part: slice) -> Tensor:
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=low_precision):
            output = network(pairs.images[part].to(device))
        if output.overlap is not None:
            told.append(output.overlap[:, 0].cpu())
        return output.probability[:, 0]

    try:
        tally, overlaps = pairs.score(predict)
        overlaps = torch.cat(told) if told else overlaps
    finally:
        network.train(was_training)
    found = tally.scores()
    row = {name: getattr(found, name) for name in ("ap_macro", "ap_micro", "precision", "recall", "mse")}
    row |= {f"{name}_at_best": value for name, value in zip(("precision", "recall"), tally.at_best(), strict=True)}
    row["best_threshold"] = found.best_threshold
    if bool(pairs.related.any()) and not bool(pairs.related.all()):
        row["overlap_auroc"] = auroc(overlaps.numpy(), pairs.related.numpy())
    return _finite(row)


def prior_predictions(pairs: FixedPairs, mean: Tensor) -> dict[str, Predict]:
    """Predictions without anatomy, by name.

    Args:
        pairs: What is predicted.
        mean: Mean true correspondence of training pairs, (L, L).

    Returns:
        zero (nothing matches), mean, mean_thickness (mean times the lesser of both patches' mean), and pose (1 where
        the true poses let two beams meet, times the same), which knows more than a matcher does.
    """
    thick = patch_means(pairs.images[:, :, 0], pairs.grid)

    def lesser(part: slice) -> Tensor:
        return thinner_patch(thick[part, 0], thick[part, 1])

    def band(part: slice) -> Tensor:
        return epipolar_band(pairs.projections[part, 0], pairs.projections[part, 1], pairs.grid) * lesser(part)

    return {
        "zero": lambda part: torch.zeros_like(pairs.truth[part]),
        "mean": lambda part: mean.expand_as(pairs.truth[part]),
        "mean_thickness": lambda part: mean * lesser(part),
        "pose": band,
    }


def prior_scores(pairs: FixedPairs, mean: Tensor) -> dict[str, float]:
    """Columns of the curve: how predictions without anatomy do on the same pairs.

    Args:
        pairs: Held out.
        mean: Mean true correspondence of training pairs, (L, L).

    Returns:
        ap_macro and mse, each with the name of a prior behind it, see `prior_predictions`.
    """
    row: dict[str, float] = {}
    for name, predict in prior_predictions(pairs, mean).items():
        found = pairs.score(predict)[0].scores()
        row |= {f"ap_macro_{name}": found.ap_macro, f"mse_{name}": found.mse}
    return _finite(row)


def _parts(count: int) -> Iterator[slice]:
    for begin in range(0, count, BATCH):
        yield slice(begin, begin + BATCH)


def _finite(row: dict[str, float]) -> dict[str, float]:
    """What is a number: a pair set without any correspondence has no average precision."""
    return {name: value for name, value in row.items() if math.isfinite(value)}
