"""Poses and motion over time, drawn with matplotlib (extra `evaluate`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from xraykit.render.evaluation import new_figure, save_figure
from xraykit.render.extras import require

from .relative import RelativeMotion
from .result import Track
from .tables import told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#2e6f95", "#d1495b", "#e9a03b")
LOST = "#bbbbbb"
SCREW = ("turn_deg", "shift_along_axis_mm")
UNITS = {"deg": "degrees", "mm": "mm"}


def check_plots() -> None:
    """Raise BackendUnavailableError now, before any work, where matplotlib is not installed."""
    require("matplotlib.figure", extra="evaluate", distribution="xraykit-xvr", what="a plot (--no-plots leaves it out)")


def plot_poses(path: str | Path, track: Track, smooth: Track | None = None) -> Path:
    """Where the middle of each body lies in the first view's camera, and how far it has turned, one row a body.

    Dots are what was found, lines the smoothed poses where there are any; grey is where a body is lost.
    """
    figure = new_figure(width=11.0, height=0.8 + 2.9 * len(track.bodies))
    axes = figure.subplots(len(track.bodies), 2, squeeze=False, sharex=True)
    tracks = [track] if smooth is None else [track, smooth]
    for k, body in enumerate(track.bodies):
        for side, (what, unit) in enumerate((("middle", "mm"), ("turn since the first frame", "degrees"))):
            place = axes[k, side]
            for n, letter in enumerate("xyz"):
                series = [told(one)[side][:, k, n] for one in tracks]
                if side == 0:
                    known = series[0][~series[0].isnan()]
                    series = [values - known.median() for values in series]
                _draw(place, track, series, COLOURS[n], letter)
            _finish(place, track, k)
            place.set(ylabel=f"{what} [{unit}]" + (", less its median" if side == 0 else ""), title=body)
    axes[0, 0].legend(loc="best", fontsize="small")
    for place in axes[-1]:
        place.set_xlabel(_time_label(track))
    return save_figure(figure, path)


def plot_motion(path: str | Path, track: Track, motions: Sequence[RelativeMotion]) -> Path:
    """The values of one relative motion, as found and perhaps smoothed, one panel each."""
    names = list(motions[0].values) if motions[0].kind == "knee" else [n for n in SCREW if n in motions[0].values]
    rows = 2 if len(names) > 2 else 1
    columns = max(1, -(-len(names) // rows))
    figure = new_figure(width=1.0 + 3.6 * columns, height=0.9 + 2.6 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    body, reference = (track.bodies.index(name) for name in (motions[0].body, motions[0].reference))
    for place, name in zip(axes.flat, names, strict=False):
        words, _, unit = name.rpartition("_")
        _draw(place, track, [motion.values[name] for motion in motions], COLOURS[0], name)
        _finish(place, track, body, reference)
        place.set(title=words.replace("_", " "), ylabel=UNITS[unit])
    for place in axes[-1]:
        place.set_xlabel(_time_label(track))
    figure.suptitle(f"{motions[0].body} in the frame of {motions[0].reference}")
    return save_figure(figure, path)


def _draw(place: Axes, track: Track, series: Sequence[Tensor], colour: str, label: str) -> None:
    times = _times(track).numpy()
    place.plot(times, series[0].numpy(), ".-" if len(series) == 1 else ".", color=colour, label=label, linewidth=1)
    for smooth in series[1:]:
        place.plot(times, smooth.numpy(), "-", color=colour, linewidth=1.6)


def _finish(place: Axes, track: Track, *bodies: int) -> None:
    times = _times(track).tolist()
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.5
    for time, frame in zip(times, track.frames, strict=True):
        if any(frame.verdicts[body] == "lost" for body in bodies):
            place.axvspan(time - half, time + half, color=LOST, alpha=0.5, linewidth=0)
    place.grid(alpha=0.3)


def _times(track: Track) -> Tensor:
    return track.numbers if track.times is None else track.times


def _time_label(track: Track) -> str:
    return "frame" if track.times is None else "time [s]"
