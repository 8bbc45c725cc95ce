"""Features of many X-rays as points of a plane, coloured by what the X-rays show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.evaluation import new_figure, save_figure
from xraykit.render.pictures import colours

MARKERS = "osD^vP*X"  # a new one after ten colours, more of which the eye cannot tell apart
SHADES = 10
MOST_NAMED = 40
ENTRIES = 20  # classes in a column of the legend
PANEL, LEGEND = 4.2, 2.2  # edge of a panel and width of such a column [inches]
UNKNOWN, UNNAMED = "not stated", "_nolegend_"  # matplotlib leaves the second out


def plot_planes(
    planes: Mapping[str, NDArray[np.floating]], labels: Mapping[str, Sequence[str]], path: str | Path
) -> Path:
    """Write a picture of one plane or several (before and after a training), a row for each kind of label.

    A class has the same colour and marker in every panel of its row; what is not stated is grey and lies below. Of
    more than 40 classes the largest 40 are named.

    Args:
        planes: Points (N, 2) by title, from left to right.
        labels: N classes by what they are of ("region"); "" is not stated. Empty: the points alone.
        path: The PNG.

    Raises:
        InputError: No planes, or points and labels that differ in number.
        BackendUnavailableError: matplotlib is not installed. OutputError: The file cannot be written.
    """
    counts = {len(plane) for plane in planes.values()} | {len(classes) for classes in labels.values()}
    if not planes or len(counts) != 1 or any(np.shape(plane)[1:] != (2,) for plane in planes.values()):
        shapes = ", ".join(f"{title} {np.shape(plane)}" for title, plane in planes.items())
        named = ", ".join(f"{kind} {len(classes)}" for kind, classes in labels.items())
        raise InputError(f"planes must be (N, 2) with N labels of each kind, got {shapes or 'none'}; labels: {named}.")
    rows: list[tuple[str, Sequence[str]]] = list(labels.items()) or [("", [""] * counts.pop())]
    looks = [_looks(classes) for _, classes in rows]
    columns = max(map(_columns, looks)) if labels else 0
    widths = [PANEL] * len(planes) + ([LEGEND * columns] if labels else [])
    figure = new_figure(width=sum(widths), height=PANEL * len(rows))
    grid = figure.subplots(len(rows), len(widths), squeeze=False, width_ratios=widths)
    for line, (kind, classes), look in zip(grid, rows, looks, strict=True):
        for axes, (title, plane) in zip(line, planes.items(), strict=False):
            _draw(axes, np.asarray(plane), np.asarray(classes), look)
            axes.set_title(f"{title}, by {kind}" if kind else title, fontsize="medium")
        if labels:
            line[-1].axis("off")
            names = line[-1].legend(
                *line[0].get_legend_handles_labels(),
                loc="center left",
                fontsize="small",
                markerscale=1.5,
                frameon=False,
                ncols=_columns(look),
            )
            names.set_in_layout(False)  # its place is set aside: it must not squeeze the panels
    return save_figure(figure, path)


def _looks(classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and name of each class, in the order of drawing."""
    names, counts = np.unique([name for name in classes if name], return_counts=True)
    known = names.tolist()
    named = set(names[np.argsort(-counts, kind="stable")[:MOST_NAMED]].tolist())
    palette = [tuple(part / 255 for part in shade) for shade in colours(SHADES)]
    looks: dict[str, dict[str, Any]] = {}
    if len(known) < len(set(classes)):
        looks[""] = {"color": "0.6", "marker": ".", "label": UNKNOWN}
    for n, name in enumerate(known):
        marker = MARKERS[n // SHADES % len(MARKERS)]
        shown = name if name in named else UNNAMED
        looks[name] = {"color": palette[n % SHADES], "marker": marker, "label": shown}
    return looks


def _columns(looks: Mapping[str, Mapping[str, Any]]) -> int:
    """How many columns the legend needs."""
    return -(-sum(look["label"] != UNNAMED for look in looks.values()) // ENTRIES)


def _draw(axes: Any, plane: NDArray, classes: NDArray, looks: Mapping[str, Mapping[str, Any]]) -> None:
    size = float(np.clip(8000 / max(len(plane), 1), 4, 40))
    for name, look in looks.items():
        axes.scatter(*plane[classes == name].T, s=size, alpha=0.8, linewidths=0, **look)
    axes.set(xticks=[], yticks=[])
    axes.margins(0.06)
    axes.set_aspect("equal", adjustable="datalim")
