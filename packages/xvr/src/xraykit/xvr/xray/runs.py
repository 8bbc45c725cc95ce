"""Runs of frames: several in one file, or a folder of numbered images, in order and whole, each read when asked for."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from glob import glob, has_magic
from itertools import pairwise
from pathlib import Path

import torch

from xraykit.render import FileError, InputError

from .calibration import CameraChoice
from .settings import XraySettings
from .shot import Shot
from .xray_input import radiograph_of, shot_of, shots_of

IMAGES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jp2", ".j2k", ".bmp", ".dcm", ".ima", ".mha", ".nrrd")
_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class CineRun:
    """What one camera saw, frame by frame.

    Args:
        name: Of the view.
        path: The file, the folder, or the pattern of its images.
        numbers: Place of each frame in the run, counted from 0; frames that are missing leave gaps.
        labels: What each is called: the stem of its file, or its number in the file.
        times: When each was taken after the first [s], where the file says it.
        shot: Reads the frame of an index.
    """

    name: str
    path: Path
    numbers: tuple[int, ...]
    labels: tuple[str, ...]
    times: tuple[float, ...] | None
    shot: Callable[[int], Shot]

    def chosen(self, indices: Sequence[int]) -> CineRun:
        """The run with these of its frames only."""
        return replace(
            self,
            numbers=tuple(self.numbers[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
            times=None if self.times is None else tuple(self.times[i] for i in indices),
            shot=lambda index: self.shot(indices[index]),
        )


def read_run(
    path: str | Path, settings: XraySettings, *, name: str, choice: CameraChoice | None = None, uneven: bool = False
) -> CineRun:
    """The run in a file of several frames, or in a folder or pattern (in which * and ? stand for letters) of images.

    Images are in the order of the last number in their names; 000, 010, 020 count in tens. Whatever else lies in the
    folder is left alone.

    Args:
        path: The file, folder or pattern.
        settings: How images are read, those of one view.
        name: What to call the view.
        choice: The file that states its camera.
        uneven: Frames may be missing or repeated: missing ones leave gaps in the numbers, of repeated ones the first
            stays. Otherwise both are refused.

    Raises:
        FileError: The file cannot be read, or there is no image.
        InputError: One frame only, images of several runs, or frames missing or repeated.
    """
    path, settings = Path(path), replace(settings, frame=None, reduce=None)
    if _names_images(path):
        return _of_images(path, settings, name, choice, uneven)
    return _of_file(path, settings, name, choice, uneven)


def is_run(path: str | Path, settings: XraySettings) -> bool:
    """Whether a path holds several frames of which the settings choose none: a file of them, a folder, or a pattern.

    Raises:
        FileError: A file that cannot be read.
    """
    path = Path(path)
    if settings.frame is not None or settings.reduce is not None:
        return False
    return _names_images(path) or radiograph_of(path, settings).n_frames > 1


def _names_images(path: Path) -> bool:
    """Whether a path is a folder of images, or a pattern of their names."""
    return path.is_dir() or (has_magic(str(path)) and not path.exists())


def _of_file(path: Path, settings: XraySettings, name: str, choice: CameraChoice | None, uneven: bool) -> CineRun:
    radiograph = radiograph_of(path, settings)
    count = radiograph.n_frames
    if count < 2:
        raise InputError(f"{path} must hold several frames, got one; name a folder of numbered images, or a cine run.")
    pixels = radiograph.pixels
    again = [n for n in range(1, count) if torch.equal(pixels[n], pixels[n - 1])]
    labels = tuple(str(n) for n in range(count))

    def shot(index: int) -> Shot:
        return shot_of(path, radiograph, replace(settings, frame=index), f"{name}_{index}", choice)

    run = CineRun(name, path, tuple(range(count)), labels, radiograph.frame_times, shot)
    return _without_repeats(run, again, uneven)


def _of_images(path: Path, settings: XraySettings, name: str, choice: CameraChoice | None, uneven: bool) -> CineRun:
    numbered = _numbered_images(path)
    values = [number for number, _ in numbered]
    twice = next((n for n in range(1, len(values)) if values[n] == values[n - 1]), None)
    if twice is not None:
        first, second = (numbered[n][1].name for n in (twice - 1, twice))
        raise InputError(f"{path} must hold every frame once, got both {first} and {second}; move one away.")
    steps = [b - a for a, b in pairwise(values)]
    step = min(Counter(steps), key=lambda s: (-steps.count(s), s))
    for place, wide in enumerate(steps):
        if wide != step and not uneven:
            before, after = (numbered[n][1].name for n in (place, place + 1))
            raise InputError(
                f"{path} must hold every frame, in steps of {step} as most of its numbers are, got nothing between "
                f"{before} and {after}; add what is missing, or give --uneven."
            )
    files = [file for _, file in numbered]

    def shot(index: int) -> Shot:
        found = shots_of(files[index], settings, name=f"{name}_{files[index].stem}", choice=choice)
        return found[0]

    numbers = tuple(round((value - values[0]) / step) for value in values)
    run = CineRun(name, path, numbers, tuple(file.stem for file in files), None, shot)
    digests = [hashlib.sha256(file.read_bytes()).digest() for file in files]
    return _without_repeats(run, [n for n in range(1, len(files)) if digests[n] == digests[n - 1]], uneven)


def _without_repeats(run: CineRun, again: Sequence[int], uneven: bool) -> CineRun:
    if again and not uneven:
        raise InputError(
            f"{run.path} must hold every frame once, got the same image in {run.labels[again[0] - 1]} and "
            f"{run.labels[again[0]]}" + (f" ({len(again)} repeated)" if len(again) > 1 else "") + "; take the copy "
            "away, or give --uneven to leave repeated frames out."
        )
    return run.chosen([n for n in range(len(run.numbers)) if n not in again]) if again else run


def _numbered_images(path: Path) -> list[tuple[int, Path]]:
    """The images of one run by rising number."""
    files = sorted(path.iterdir()) if path.is_dir() else sorted(Path(found) for found in glob(str(path)))
    kinds: dict[tuple[str, str], list[tuple[int, Path]]] = {}
    for file in files:
        parts = _LAST_NUMBER.fullmatch(file.stem)
        if parts and file.suffix.lower() in IMAGES and not file.name.startswith("."):
            head, digits, tail = parts.groups()
            kinds.setdefault((head, tail), []).append((int(digits), file))
    if not kinds:
        raise FileError(f"{path} must hold images with numbers in their names ({', '.join(IMAGES)}), got none.")
    if len(kinds) > 1:
        said = ", ".join(f"{head}#{tail} ({len(found)})" for (head, tail), found in kinds.items())
        (head, tail), found = next(iter(kinds.items()))
        digits = "?" * (len(found[0][1].stem) - len(head) - len(tail))
        example = (path if path.is_dir() else path.parent) / f"{head}{digits}{tail}{found[0][1].suffix}"
        raise InputError(f"{path} must hold one run, got {said}; name one by a pattern in quotes, as '{example}'.")
    (found,) = kinds.values()
    if len(found) < 2:
        raise InputError(f"{path} must hold several frames, got {found[0][1].name} alone.")
    return sorted(found)
