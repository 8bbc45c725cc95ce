"""The frames of one or several views at the same moments, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import InputError

from ..xray.calibration import assigned_cameras
from ..xray.names import xray_names
from ..xray.runs import CineRun, read_run
from ..xray.settings import XraySettings
from .following import CineFrame
from .settings import CineSettings


@dataclass(frozen=True, eq=False)
class SynchronousRuns:
    """V runs with the same frames, those that were asked for."""

    runs: tuple[CineRun, ...]
    times: tuple[float | None, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the views."""
        return tuple(run.name for run in self.runs)

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the frames, by the first view."""
        return self.runs[0].labels

    def frame(self, index: int) -> CineFrame:
        """The X-rays of one moment.

        Raises:
            InputError: Geometry that nothing states, or nothing to compare.
            FileError: An image that cannot be read.
        """
        shots = tuple(run.shot(index) for run in self.runs)
        return CineFrame(shots, self.runs[0].numbers[index], self.labels[index], self.times[index])

    def frames(self, begin: int = 0) -> Iterator[CineFrame]:
        """All from an index on; one after the first in which nothing can be compared comes without X-rays."""
        for index in range(begin, len(self.labels)):
            try:
                yield self.frame(index)
            except InputError as error:
                if index == 0:
                    raise
                number = self.runs[0].numbers[index]
                yield CineFrame((), number, self.labels[index], self.times[index], fault=str(error))


def read_runs(
    paths: Sequence[Path], xray: XraySettings, cine: CineSettings, *, cameras: Sequence[Path] = ()
) -> SynchronousRuns:
    """The runs of several views.

    Raises:
        InputError: Views with other frames, frames missing or repeated, or none among those asked for.
        FileError: A run that cannot be read.
    """
    if xray.frame is not None or xray.reduce is not None:
        raise InputError("a track takes every frame, got --frame or --reduce; choose with --first and --last.")
    choices = assigned_cameras(cameras, paths)
    parts = zip(paths, xray_names(list(paths)), choices, strict=True)
    runs = [
        read_run(path, xray.of_view(n, len(paths)), name=name, choice=choice, uneven=cine.uneven)
        for n, (path, name, choice) in enumerate(parts)
    ]
    common = set(runs[0].numbers).intersection(*(run.numbers for run in runs))
    for run in runs:
        if len(run.numbers) != len(common) and not cine.uneven:
            most = max(runs, key=lambda other: len(other.numbers))
            other = next(one for one in runs if one is not run)
            raise InputError(
                f"all views must hold the same frames, got {len(run.numbers)} in {run.path} and {len(other.numbers)} "
                f"in {other.path} (up to {most.labels[-1]} in {most.name}); add what is missing, or give --uneven."
            )
    last = max(common, default=0) if cine.last is None else cine.last
    wanted = {number for number in common if cine.first <= number <= last}
    if len(wanted) < 2:
        raise InputError(
            f"two frames or more must be followed, got {len(wanted)} from {cine.first} to {last} of {len(common)}; "
            "check --first and --last."
        )
    chosen = tuple(run.chosen([i for i, n in enumerate(run.numbers) if n in wanted]) for run in runs)
    return SynchronousRuns(chosen, _times(chosen[0], cine))


def _times(run: CineRun, cine: CineSettings) -> tuple[float | None, ...]:
    if cine.frames_per_second is not None:
        return tuple(number / cine.frames_per_second for number in run.numbers)
    return (None,) * len(run.numbers) if run.times is None else run.times
