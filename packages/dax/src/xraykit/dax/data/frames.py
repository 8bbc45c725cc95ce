"""Frames prepared for training, once: small, logarithmic, in one memory-mapped file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render import FileError
from xraykit.render.storage import read_json_object

from .frame_codes import CodedFrame

CODES, INDEX = "frames.bin", "index.json"
MOST_BYTES = 1 << 31  # of an index: 200 bytes a frame
FORMAT = 1
NUMBERS = ("step", "median", "deviation", "scale")


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
            self.damaged = [(str(name), str(why)) for name, why in index["damaged"]]
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(
                f"{self.folder / INDEX} must be an index of frames, got another file; prepare anew."
            ) from error
        self._starts = np.concatenate([[0], self._sizes.prod(1).cumsum()])
        self._codes: NDArray[np.uint16] | None = None
        self._check_codes()

    def __len__(self) -> int:
        """How many frames."""
        return len(self.names)

    def __getstate__(self) -> dict[str, Any]:
        """Without the memory map, which each process opens for itself."""
        return {**self.__dict__, "_codes": None}

    def size(self, number: int) -> tuple[int, int]:
        """Height and width of a frame [px]."""
        return int(self._sizes[number, 0]), int(self._sizes[number, 1])

    def __getitem__(self, number: int) -> PreparedFrame:
        """Frame `number`, counted from 0; negative ones count from the end."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"frame {number} of {len(self)}")
        number %= len(self)
        if self._codes is None:
            self._codes = np.memmap(self.folder / CODES, dtype="<u2", mode="r", offset=len(self.digest))
        codes = self._codes[self._starts[number] : self._starts[number + 1]].reshape(self.size(number))
        step, median, deviation, scale = self._numbers[number].tolist()
        return PreparedFrame(self.names[number], codes, step, median, deviation, scale, self.labels[number])

    def _check_codes(self) -> None:
        file, expected = self.folder / CODES, len(self.digest) + 2 * int(self._starts[-1])
        held = file.stat().st_size if file.is_file() else 0
        if held != expected:
            raise FileError(f"{file} must hold {expected} bytes, got {held}; prepare the frames anew.")
        with file.open("rb") as opened:
            if opened.read(len(self.digest)) != self.digest.encode():
                raise FileError(
                    f"{file} must belong to {INDEX} beside it, got that of others; prepare the frames anew."
                )


class StoreWriter:
    """Fills a folder with frames, one after another; `finish` writes the index last."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder, self.digest = folder, digest
        self.file = (folder / CODES).open("wb")
        self.file.write(digest.encode())
        self.frames: dict[str, list[Any]] = {key: [] for key in ("name", "labels", "size", *NUMBERS)}
        self.notes: dict[str, int] = {}

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, name: str, labels: Mapping[str, str], notes: tuple[str, ...], coded: CodedFrame) -> None:
        """Append a frame."""
        self.file.write(coded.codes.astype("<u2").tobytes())
        row = {"name": name, "labels": dict(labels), "size": list(coded.codes.shape)}
        row |= {key: getattr(coded, key) for key in NUMBERS}
        for key, value in row.items():
            self.frames[key].append(value)
        for note in notes:
            self.notes[note] = self.notes.get(note, 0) + 1

    def finish(self, **facts: object) -> None:
        """Write the index."""
        index = {"format": FORMAT, "digest": self.digest, **facts, "notes": self.notes, "frames": self.frames}
        (self.folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
