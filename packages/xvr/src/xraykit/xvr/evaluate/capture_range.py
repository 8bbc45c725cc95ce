"""Capture range: how the chance of success falls as the start moves away from the truth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.evaluation import new_figure, save_figure, wilson_interval


@dataclass(frozen=True)
class CaptureCurve:
    """Success against start error, in B bins.

    Args:
        edges: B + 1 borders of the bins [mm], growing; a bin holds its lower border.
        attempts: Registrations that started in each bin.
        successes: Those of them that succeeded.
    """

    edges: tuple[float, ...]
    attempts: tuple[int, ...]
    successes: tuple[int, ...]

    @property
    def rates(self) -> tuple[float, ...]:
        """Success rate in each bin, 0 to 1; NaN where nothing started."""
        return tuple(s / n if n else math.nan for s, n in zip(self.successes, self.attempts, strict=True))

    @property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """Wilson's 95 % confidence interval of each rate."""
        return tuple(wilson_interval(s, n) for s, n in zip(self.successes, self.attempts, strict=True))

    def reach(self, rate: float = 0.95) -> float:
        """The capture range: the start error [mm] up to which every bin succeeds at this rate or better.

        Bins in which nothing started end it. 0 where the first bin falls short.
        """
        reach = self.edges[0]
        for upper, found in zip(self.edges[1:], self.rates, strict=True):
            if not found >= rate:
                break
            reach = upper
        return reach


def capture_curve(start_errors: Tensor, succeeded: Tensor, *, edges: Sequence[float]) -> CaptureCurve:
    """Count attempts and successes by start error.

    Args:
        start_errors: Initial error of each registration, true TRE or mTRE [mm], (N,).
        succeeded: Booleans (N,).
        edges: Borders of the bins [mm], growing; starts outside are left out.

    Raises:
        InputError: Lengths that differ, borders that do not grow, or a start error that is NaN.
    """
    if start_errors.shape != succeeded.shape or start_errors.ndim != 1 or succeeded.dtype != torch.bool:
        shapes = f"{tuple(start_errors.shape)} and {succeeded.dtype} {tuple(succeeded.shape)}"
        raise InputError(f"start errors and booleans of success must be (N,) alike, got {shapes}.")
    if len(edges) < 2 or any(not b > a for a, b in pairwise(edges)):
        raise InputError(f"edges must be at least two growing numbers, got {list(edges)}.")
    if bool(torch.isnan(start_errors).any()):
        raise InputError("start errors must be numbers, got NaN; a start has a known pose.")
    bins = torch.bucketize(start_errors.double(), torch.tensor(edges, dtype=torch.float64), right=True) - 1
    attempts = [int((bins == b).sum()) for b in range(len(edges) - 1)]
    successes = [int(succeeded[bins == b].sum()) for b in range(len(edges) - 1)]
    return CaptureCurve(tuple(map(float, edges)), tuple(attempts), tuple(successes))


def equal_bins(start_errors: Tensor, count: int = 8) -> tuple[float, ...]:
    """Borders of `count` equal bins from 0 to the largest finite start error, rounded up to two digits [mm]."""
    finite = start_errors[torch.isfinite(start_errors)]
    if finite.numel() == 0:
        raise InputError("bins need at least one finite start error, got none.")
    largest = max(float(finite.max()), 1e-3)
    unit = 10.0 ** (math.floor(math.log10(largest)) - 1)
    top = (math.floor(largest / unit) + 1) * unit
    return tuple(top * n / count for n in range(count + 1))


def plot_capture(
    curves: Mapping[str, CaptureCurve],
    path: str | Path,
    *,
    xlabel: str = "start error, true TRE [mm]",
    ylabel: str = "success rate",
) -> Path:
    """Draw the curves of several methods with their confidence intervals into a PNG file.

    Raises:
        InputError: matplotlib is missing. OutputError: the file cannot be written.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    for number, (name, curve) in enumerate(curves.items()):
        shown = [b for b, n in enumerate(curve.attempts) if n]
        shift = (number - (len(curves) - 1) / 2) * 0.06 * (curve.edges[1] - curve.edges[0])
        x = [(curve.edges[b] + curve.edges[b + 1]) / 2 + shift for b in shown]
        y = [curve.rates[b] for b in shown]
        low = [max(0.0, curve.rates[b] - curve.intervals[b][0]) for b in shown]
        high = [max(0.0, curve.intervals[b][1] - curve.rates[b]) for b in shown]
        axes.errorbar(x, y, yerr=[low, high], marker="o", capsize=3, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(-0.03, 1.03), xlim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    return save_figure(figure, path)
