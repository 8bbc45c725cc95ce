"""Frames prepared for training, once: small, logarithmic, in memory-mapped files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render import FileError
from xraykit.render.storage import read_json_object

INDEX, SHARDS = "index.json", "frames-*"
MOST_BYTES = 1 << 31  # of an index: 200 bytes a frame
FORMAT = 2
NUMBERS = ("step", "median", "deviation", "scale")


def shard_path(folder: Path, digest: str, number: int) -> Path:
    """The codes of a shard; its name says what they follow from."""
    return folder / f"frames-{digest[:16]}-{number:05d}.bin"


@dataclass(frozen=True, eq=False)
class PreparedFrame:
    """One frame, from which both branches of preprocessing follow in a few operations; see `frames_to_images`."""

    name: str
    codes: NDArray[np.uint16]
    """(H, W): code step = L = -ln(I / brightest); 65535 beyond the exposed field"""
    step: float
    median: float
    """Of I / brightest over the region that counts"""
    deviation: float
    """Standard deviation likewise; the clip is median + k deviation"""
    scale: float = 1.0
    """Pixels of the frame per pixel of the original"""
    labels: Mapping[str, str] = field(default_factory=dict)


class FrameStore:
    """Prepared frames by number; made by `prepare_frames`. Copies for worker processes are cheap.

    Args:
        folder: Where they lie.

    Attributes:
        names: Of the frames.
        labels: What is known of each: region, view, patient.
        notes: What was assumed, each sentence once, with the number of frames it holds for.
        damaged: (name, sentence) of what was left out.
        longest: Most pixels of a side.

    Raises:
        FileError: No whole store is there.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_json_object(self.folder / INDEX, most_bytes=MOST_BYTES)
        try:
            frames: dict[str, list[Any]] = index["frames"]
            self.names: list[str] = frames["name"]
            self.labels: list[dict[str, str]] = frames["labels"]
            self._sizes = np.array(frames["size"], dtype=np.int64).reshape(-1, 2)
            self._numbers = np.array([frames[key] for key in NUMBERS], dtype=np.float64).T
            self.digest, self.longest = str(index["digest"]), int(index["longest"])
            self.notes: dict[str, int] = index["notes"]
            self._shards = [int(number) for number, _ in index["shards"]]
            self._firsts = np.cumsum([0, *(int(count) for _, count in index["shards"])])
            self.damaged = [(str(name), str(why)) for name, why in index["damaged"]]
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(
                f"{self.folder / INDEX} must be an index of frames, got another file; prepare anew."
            ) from error
        self._starts = np.concatenate([[0], self._sizes.prod(1).cumsum()])
        self._codes: dict[int, NDArray[np.uint16]] = {}
        self._check_codes()

    def __len__(self) -> int:
        """How many frames."""
        return len(self.names)

    def __getstate__(self) -> dict[str, Any]:
        """Without the memory maps, which each process opens for itself."""
        return {**self.__dict__, "_codes": {}}

    def size(self, number: int) -> tuple[int, int]:
        """Height and width of a frame [px]."""
        return int(self._sizes[number, 0]), int(self._sizes[number, 1])

    def __getitem__(self, number: int) -> PreparedFrame:
        """Frame `number`, counted from 0; negative ones count from the end."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"frame {number} of {len(self)}")
        number %= len(self)
        shard = int(np.searchsorted(self._firsts, number, side="right")) - 1
        if shard not in self._codes:
            path = shard_path(self.folder, self.digest, self._shards[shard])
            self._codes[shard] = np.memmap(path, dtype="<u2", mode="r")
        start, end = self._starts[number : number + 2] - self._starts[self._firsts[shard]]
        codes = self._codes[shard][start:end].reshape(self.size(number))
        step, median, deviation, scale = self._numbers[number].tolist()
        return PreparedFrame(self.names[number], codes, step, median, deviation, scale, self.labels[number])

    def _check_codes(self) -> None:
        if self._firsts[-1] != len(self):
            raise FileError(f"{self.folder / INDEX} must name the shards of {len(self)} frames; prepare them anew.")
        for number, pixels in zip(self._shards, np.diff(self._starts[self._firsts]), strict=True):
            file = shard_path(self.folder, self.digest, number)
            held = file.stat().st_size if file.is_file() else 0
            if held != 2 * pixels:
                raise FileError(f"{file} must hold {2 * pixels} bytes, got {held}; prepare the frames anew.")
