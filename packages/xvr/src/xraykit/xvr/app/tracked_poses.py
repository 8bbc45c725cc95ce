"""Where `xraykit xvr track` found its bodies in each frame, for a page that steps through the same frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from xraykit.render import InputError

from ..tracking.cine import SynchronousRuns
from ..tracking.journal import FILE_NAME, read_journal
from ..tracking.result import TrackedFrame


@dataclass(frozen=True, eq=False)
class TrackedPoses:
    """What tracking found, by the numbers of the frames.

    Args:
        bodies: K names, as `--structures` or files gave them.
        frames: The frames that were followed.
    """

    bodies: tuple[str, ...]
    frames: Mapping[int, TrackedFrame]

    def body(self, names: Sequence[str]) -> int:
        """The body made of these labels; the first where none is: the whole CT lies there as well as anything."""
        made_of = [names_of(body) for body in self.bodies]
        return next((k for k, labels in enumerate(made_of) if set(labels) == set(names)), 0)

    def poses(self, number: int, names: Sequence[str]) -> Tensor | None:
        """Camera to world (V, 4, 4) for the structure of these labels; None where nothing was found."""
        frame, body = self.frames.get(number), self.body(names)
        return None if frame is None or frame.verdicts[body] == "lost" else frame.poses[body]


def names_of(body: str) -> tuple[str, ...]:
    """The labels that a body of a track is made of."""
    return tuple(name.strip() for name in body.split(","))


def read_tracked_poses(path: Path, runs: SynchronousRuns, *, bodies: Sequence[str] | None = None) -> TrackedPoses:
    """What tracking found in these runs: from its folder, or the frames.jsonl in it.

    Args:
        path: The folder, or the file.
        runs: What the page steps through.
        bodies: Implants or bones that the page shows; None is a CT, whose structures may be any.

    Raises:
        FileError: The file is missing, damaged, or something else.
        InputError: A track of other bodies, of other frames, or of another number of views.
    """
    header, frames = read_journal(path / FILE_NAME if path.is_dir() else path)
    if bodies is None and "ct" not in header.inputs:
        raise InputError(
            f"--track must be a track of a CT, which is what the page shows, got one of {', '.join(header.bodies)} "
            "as implants or bones; name the track alone, `xraykit xvr app --track FOLDER`, to look at it."
        )
    if bodies is not None and header.bodies != tuple(bodies):
        raise InputError(
            f"--track must be of {', '.join(bodies)}, which its settings.json names, got {', '.join(header.bodies)}."
        )
    if len(header.views) != len(runs.runs):
        raise InputError(f"--track must show {len(runs.runs)} views, as the page does, got {len(header.views)}.")
    labels = dict(zip(runs.runs[0].numbers, runs.labels, strict=True))
    other = next((frame for frame in frames if labels.get(frame.number, frame.label) != frame.label), None)
    if other is not None or not any(frame.number in labels for frame in frames):
        came = "none of its frames" if other is None else f"{other.label!r} where it has {labels[other.number]!r}"
        raise InputError(
            f"--track must be of the frames of {runs.runs[0].path}, got {came}; name the run it was made of."
        )
    return TrackedPoses(header.bodies, {frame.number: frame for frame in frames})
