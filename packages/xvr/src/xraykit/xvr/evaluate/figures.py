"""Figures as PNG files, drawn without a display (extra `evaluate`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xraykit.render import BackendUnavailableError
from xraykit.render.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(*, width: float = 6.4, height: float = 4.2) -> Figure:
    """An empty figure [inches], bound to no window.

    Raises:
        BackendUnavailableError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BackendUnavailableError("figures need matplotlib; run: pip install 'xraykit-xvr[evaluate]'.") from error
    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write the figure as PNG, whole or not at all."""
    return write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=150))


def plot_errors(errors: Mapping[str, Sequence[float]], path: str | Path, *, ylabel: str = "true TRE [mm]") -> Path:
    """Box plots of errors by name on a logarithmic axis, with a line at 1 mm; what is not finite stands at the top.

    Boxes are quartiles, whiskers the 5th and 95th percentile.
    """
    figure = new_figure(width=max(4.0, 0.8 * len(errors) + 2), height=5.0)
    axes = figure.add_subplot()
    finite = [[max(e, 1e-4) for e in values if e < float("inf")] for values in errors.values()]
    axes.boxplot(finite, whis=(5, 95), tick_labels=list(errors), flierprops={"marker": ".", "markersize": 3})
    axes.set_yscale("log")
    axes.axhline(1.0, linewidth=1, linestyle=":", color="black")
    for place, (values, kept) in enumerate(zip(errors.values(), finite, strict=True), 1):
        lost = sum(1 for e in values if not e < float("inf"))
        if lost:
            axes.annotate(f"{lost} of {lost + len(kept)} lost", (place, 0.97), xycoords=("data", "axes fraction"))
    for label in axes.get_xticklabels():
        label.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3, axis="y")
    return save_figure(figure, path)
