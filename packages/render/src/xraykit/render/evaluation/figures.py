"""Figures of an evaluation as PNG files, drawn without a display (extra `evaluate`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..extras import require
from ..storage.atomic_write import write_atomically
from .calibration import ReliabilityBin
from .intervals import wilson_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(*, width: float = 6.4, height: float = 4.2) -> Figure:
    """An empty figure [inches], bound to no window.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
    """
    figure = require("matplotlib.figure", extra="evaluate").Figure
    return figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write the figure as PNG, whole or not at all."""
    return write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=150))


def plot_errors(
    errors: Mapping[str, Sequence[float]], path: str | Path, *, ylabel: str, bound: float | None = None
) -> Path:
    """Box plots of errors by name on a logarithmic axis; what is not finite stands at the top.

    Boxes are quartiles, whiskers the 5th and 95th percentile.

    Args:
        errors: Errors by name, 0 or more.
        path: Where to.
        ylabel: What they are, with their unit.
        bound: Where to draw a line, such as the largest error that is a success; None draws none.

    Raises:
        BackendUnavailableError: matplotlib is not installed. OutputError: The file cannot be written.
    """
    figure = new_figure(width=max(4.0, 0.8 * len(errors) + 2), height=5.0)
    axes = figure.add_subplot()
    finite = [[max(e, 1e-4) for e in values if e < float("inf")] for values in errors.values()]
    axes.boxplot(finite, whis=(5, 95), tick_labels=list(errors), flierprops={"marker": ".", "markersize": 3})
    axes.set_yscale("log")
    if bound is not None:
        axes.axhline(bound, linewidth=1, linestyle=":", color="black")
    for place, (values, kept) in enumerate(zip(errors.values(), finite, strict=True), 1):
        lost = sum(1 for e in values if not e < float("inf"))
        if lost:
            axes.annotate(f"{lost} of {lost + len(kept)} lost", (place, 0.97), xycoords=("data", "axes fraction"))
    for label in axes.get_xticklabels():
        label.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3, axis="y")
    return save_figure(figure, path)


def plot_reliability(curves: Mapping[str, Sequence[ReliabilityBin]], path: str | Path) -> Path:
    """What came true against what was predicted, by name, with Wilson's 95 % intervals and the diagonal.

    Raises:
        BackendUnavailableError: matplotlib is not installed. OutputError: The file cannot be written.
    """
    figure = new_figure(width=4.6, height=4.6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], linewidth=1, linestyle=":", color="black")
    for name, bins in curves.items():
        ends = [wilson_interval(round(one.observed * one.count), one.count) for one in bins]
        low = [max(0.0, one.observed - end[0]) for one, end in zip(bins, ends, strict=True)]
        high = [max(0.0, end[1] - one.observed) for one, end in zip(bins, ends, strict=True)]
        x, y = [one.predicted for one in bins], [one.observed for one in bins]
        axes.errorbar(x, y, yerr=[low, high], marker="o", capsize=3, label=name)
    axes.set(xlabel="predicted probability", ylabel="observed share", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.grid(alpha=0.3)
    if curves:
        axes.legend(loc="best")
    return save_figure(figure, path)
