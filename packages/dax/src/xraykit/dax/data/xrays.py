"""Every X-ray that files, folders, lists and data sets hold, as linear intensity, one frame at a time."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from xraykit.render import InputError, XraykitError
from xraykit.render.radiographs import Polarity

from .file_frames import FileFrames
from .find_files import chosen_frames, count_frames, find_files
from .stored_samples import StoredSamples
from .xray_frame import XrayFrame

FrameChoice = Literal["all", "middle"] | int
"""Which frames of a file with several: all, the middle one, or so many evenly spaced."""


class XrayCollection(Sequence[XrayFrame]):
    """Frames of X-rays by number, read when asked for; made by `find_xrays`. Copies for worker processes are cheap.

    Neighbours of one file or shard are read together, so go through it in ascending order. Only the last file read is
    kept, so that a thousand cines need no more memory than the largest.

    Attributes:
        damaged: (name, sentence) of what iteration has skipped so far.
    """

    def __init__(
        self, parts: Sequence[FileFrames | StoredSamples], *, field: bool = False, skip_damaged: bool = False
    ) -> None:
        self._parts = tuple(part for part in parts if len(part))
        self._starts = [0]
        for part in self._parts:
            self._starts.append(self._starts[-1] + len(part))
        self._open: FileFrames | StoredSamples | None = None
        self.field, self.skip_damaged = field, skip_damaged
        self.damaged: list[tuple[str, str]] = []

    def __len__(self) -> int:
        """How many frames."""
        return self._starts[-1]

    def __getitem__(self, number: Any) -> XrayFrame:
        """Frame `number`; negative ones count from the end.

        Raises:
            FileError: Its file is damaged; the sentence names it.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(f"frame {number} of {len(self)}")
        part, place = self._place(number % len(self))
        if part is not self._open:
            if self._open is not None:
                self._open.release()
            self._open = part
        return part.read(place, field=self.field)

    def __iter__(self) -> Iterator[XrayFrame]:
        """All frames in order, without the damaged ones if those are skipped."""
        for number in range(len(self)):
            try:
                yield self[number]
            except XraykitError as error:
                if not self.skip_damaged:
                    raise
                self.damaged.append((self.where(number), str(error)))

    @property
    def datasets(self) -> tuple[Path, ...]:
        """Folders of the data set jobs among the sources."""
        return tuple(part.folder for part in self._parts if isinstance(part, StoredSamples))

    @property
    def names(self) -> list[str]:
        """`where` of every frame."""
        return [self.where(number) for number in range(len(self))]

    def where(self, number: int) -> str:
        """The place of a frame, without reading it: its name, or a data set's folder and the number in it."""
        part, place = self._place(number)
        return part.where(place)

    def digest(self) -> str:
        """SHA-256 of what would be read: paths, sizes and times of files, identity of data sets, options."""
        facts = [str(self.field), *(part.identity() for part in self._parts)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def _place(self, number: int) -> tuple[FileFrames | StoredSamples, int]:
        part = bisect_right(self._starts, number) - 1
        return self._parts[part], number - self._starts[part]


def find_xrays(
    sources: Sequence[str | Path],
    *,
    frames: FrameChoice = "all",
    polarity: Polarity | None = None,
    split: str | None = None,
    field: bool = False,
    skip_damaged: bool = False,
) -> XrayCollection:
    """All X-rays that the sources name; only headers are read.

    Args:
        sources: Files (DICOM, PNG, TIFF, JPEG: the content decides), folders with all below them, .txt and .csv lists,
            folders of data set jobs; see `find_files`.
        frames: Which frames of a file with several.
        polarity: What pixel values mean, for all files; None follows each file, and where it says nothing the
            default of its kind, which the frame's notes state. Raw frames in TIFF files need "intensity".
        split: Which split of data sets; None is all of them.
        field: Find the exposed field of every image.
        skip_damaged: Iteration goes on after a damaged file, and keeps its name and what is wrong.

    Returns:
        The collection, in the order of the sources.

    Raises:
        FileError: A source does not exist or a list is damaged.
        InputError: No image is found, or an option is unknown.
    """
    if isinstance(sources, str | Path):
        sources = [sources]
    chosen_frames(1, frames)
    parts: list[FileFrames | StoredSamples] = []
    for source in sources:
        for found in find_files(source):
            said = _checked(found.polarity or polarity, found.path)
            if found.is_dataset:
                parts.append(StoredSamples(found.path, split=split))
            else:
                count = count_frames(found.path)
                parts.append(FileFrames(found, said, tuple(chosen_frames(count, frames)), many=count > 1))
    collection = XrayCollection(parts, field=field, skip_damaged=skip_damaged)
    if not len(collection):
        raise InputError(
            f"an X-ray (DICOM, PNG, TIFF, JPEG or a data set) must lie in {', '.join(map(str, sources)) or 'a source'},"
            " got none; check the paths."
        )
    return collection


def _checked(polarity: str | None, path: Path) -> str | None:
    if polarity is not None and polarity not in get_args(Polarity):
        raise InputError(f"polarity of {path} must be one of {', '.join(get_args(Polarity))}, got {polarity!r}.")
    return polarity
