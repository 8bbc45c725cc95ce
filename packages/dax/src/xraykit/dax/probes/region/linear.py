"""Multinomial logistic regression on standardised features, to convergence, its strength chosen inside the training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from xraykit.render import InputError

from ..folds import grouped_folds

STRENGTHS = (1e4, 1e3, 1e2, 1e1, 1.0, 1e-1)
GRADIENT, ROUGH = 1e-7, 1e-4  # largest entry at which a fit has converged, and one that only chooses


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Logits are ((x - mean) / scale) weight^T + bias.

    Args:
        weight: (K, D) float64.
        bias: (K,) float64.
        mean: Of the training features, (D,) float64.
        scale: Their standard deviation, 1 where they are constant, (D,) float64.
        strength: Of the L2 penalty; 0 is none.
        gradient: The largest entry of the objective's gradient by (weight, bias) where the fit ended.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    scale: Tensor
    strength: float = 0.0
    gradient: float = math.nan

    def logits(self, features: NDArray[np.floating] | Tensor) -> Tensor:
        """(N, K) float64 of features (N, D)."""
        return (torch.as_tensor(features, dtype=torch.float64) - self.mean) / self.scale @ self.weight.T + self.bias


def fit_linear(
    features: NDArray[np.floating], classes: NDArray[np.intp], count: int, *, strength: float
) -> LinearClassifier:
    r"""The minimum of a convex objective.

    f(W, b) = 1/N (sum_n -log softmax(W z_n + b)[y_n] + strength / 2 ||W||^2), z standardised by the mean and standard
    deviation of these features. Scikit-learn's C is 1 / strength. L-BFGS in float64, on coordinates along the singular
    vectors of z that are scaled to a curvature of about 1: tens of steps, where W itself takes thousands.

    Args:
        features: (N, D), finite.
        classes: 0 to count - 1, (N,).
        count: K; a class without cases gets a bias that makes it unlikely.
        strength: Above 0, so that there is one minimum.

    Raises:
        InputError: Features that are not finite, another number of classes than features, or a strength of 0 or less.
    """
    return _path(features, classes, count, (strength,))[0]


def choose_strength(
    features: NDArray[np.floating],
    classes: NDArray[np.intp],
    count: int,
    patients: Sequence[str],
    *,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 3,
    seed: int = 0,
) -> float:
    """The strength with the smallest cross-entropy over inner folds grouped by patient; of equals the largest.

    With a single patient there are no inner folds, and it is the largest strength.

    Args:
        features: Of the training cases alone, (N, D).
        classes: (N,).
        count: K.
        patients: (N,).
        strengths: To choose from.
        folds: Inner folds, or as many as there are patients.
        seed: Of the inner folds.

    Raises:
        InputError: As `fit_linear`.
    """
    folds, ordered = min(folds, len(set(patients))), sorted(strengths, reverse=True)
    if folds < 2 or len(ordered) == 1:
        return ordered[0]
    several = len(np.unique(classes)) > 1
    fold = grouped_folds(patients, [str(one) for one in classes] if several else None, folds=folds, seed=seed)
    losses = np.zeros(len(ordered))
    for inner in range(folds):
        kept, held = fold != inner, fold == inner
        truth = torch.as_tensor(classes[held])
        for place, fit in enumerate(_path(features[kept], classes[kept], count, ordered, ROUGH)):
            losses[place] += float(cross_entropy(fit.logits(features[held]), truth, reduction="sum"))
    return ordered[int(losses.argmin())]


def checked_features(features: NDArray[np.floating], classes: NDArray[np.intp]) -> Tensor:
    """The features as float64, or InputError where they are not finite or not one for each class given."""
    x = torch.as_tensor(np.asarray(features, dtype=np.float64))
    if x.ndim != 2 or len(x) != len(classes) or len(x) == 0 or not bool(x.isfinite().all()):
        raise InputError(
            f"features must be finite (N, D) with a class for each, got {tuple(x.shape)} and {len(classes)} classes."
        )
    return x


def _path(
    features: NDArray[np.floating],
    classes: NDArray[np.intp],
    count: int,
    strengths: Sequence[float],
    tolerance: float = GRADIENT,
) -> list[LinearClassifier]:
    """Fits of several strengths, each begun where the one before ended."""
    x, y = checked_features(features, classes), torch.as_tensor(classes)
    if not all(strength > 0 for strength in strengths):
        raise InputError(f"the strength of the penalty must be positive, got {min(strengths)}.")
    mean, scale = x.mean(0), x.std(0, correction=0)
    scale = torch.where(scale > 1e-12 * x.abs().amax(0).clamp(min=1e-300), scale, 1.0)
    z = (x - mean) / scale
    left, size, right = torch.linalg.svd(z, full_matrices=False)
    weight, bias, fits = torch.zeros(count, len(size)).double(), torch.zeros(count).double(), []
    for strength in strengths:
        stretch = ((size.square() * (count - 1) / count**2 + strength) / len(y)).rsqrt()
        start = (weight / stretch, bias)
        weight, bias = _minimise(left * size * stretch, y, start, strength * stretch.square(), tolerance)
        weight = weight * stretch
        whole = weight @ right
        error = (z @ whole.T + bias).softmax(1)
        error[torch.arange(len(y)), y] -= 1
        slopes = (error.T @ z + strength * whole, error.sum(0))
        gradient = max(float(one.abs().max()) for one in slopes) / len(y)
        fits.append(LinearClassifier(whole, bias, mean, scale, strength, gradient))
    return fits


def _minimise(
    a: Tensor, y: Tensor, start: tuple[Tensor, Tensor], penalties: Tensor, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Weights (K, r) and biases that minimise the mean cross-entropy of a weight^T + bias and half the penalty."""
    weight, bias = (one.clone().requires_grad_() for one in start)
    optimiser = torch.optim.LBFGS(
        [weight, bias],
        max_iter=500,
        history_size=10,
        tolerance_grad=tolerance,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimiser.zero_grad()
        value = cross_entropy(a @ weight.T + bias, y) + (penalties * weight.square()).sum() / (2 * len(y))
        value.backward()
        return value

    optimiser.step(objective)  # type: ignore[arg-type]
    return weight.detach(), bias.detach()
