"""Images of data set jobs prepared for training, once: grey values and packed masks in memory-mapped files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.storage import read_json_object

from ..vocabulary.annotations import annotations_of
from ..vocabulary.targets import find_target
from .framing import Size, mask_places, plain_framing

IMAGES, MASKS, TABLE, ANSWERS, INDEX = "images.bin", "masks.bin", "annotations.bin", "answers.bin", "index.json"
FILES = (IMAGES, MASKS, TABLE, ANSWERS, INDEX)
MOST_BYTES = 1 << 31  # of an index
FORMAT = 1
LOWEST, STEP = -1.0, 15.0 / 65_535  # of -ln of the intensity
LEAST_AREA, MOST_AREA = 0.001, 0.9  # of the image, for what counts as shown
COLUMNS = ("name", "tool", "top", "left", "rows", "columns", "area")  # of an annotation


class SegmentationStore:
    """Prepared images by number, made by `prepare_segmentations`. Copies for worker processes are cheap.

    An image lies in the upper left corner of a square of `edge` pixels, as in `PaddedSquare`; masks over the same
    square are kept as packed bits of their boxes.

    Args:
        folder: Where they lie.

    Attributes:
        edge: Of the stored squares E [px].
        image_size: Of the network that they were prepared for, S [px].
        mask_size: Edge of its masks, M [px].
        names: Of the N images.
        labels: What is known of each: view, region, patient, split.
        targets_known: Names of the T targets that `shows` speaks of.
        shows: Which image shows which target, (N, T) bool.
        lacks: Which image surely does not, (N, T) bool.
        digest: Of what it was made from.
        left_out: (name, sentence) of each damaged shard.

    Raises:
        FileError: No whole store is there.

    Example:
        store = prepare_segmentations(["out/job"], NAMED["mini"], "out/prepared")
        grey, masks, names = store.image(0), store.masks(0), store.annotation_names(0)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        place = self.folder / INDEX
        index = read_json_object(place, what="an index of segmentations", most_bytes=MOST_BYTES)
        try:
            self.digest = str(index["digest"])
            self.edge, self.image_size, self.mask_size = (int(index[n]) for n in ("edge", "image_size", "mask_size"))
            self.left_out = tuple((str(name), str(why)) for name, why in index.get("left_out", ()))
            self.names: list[str] = index["names"]
            self.labels: list[dict[str, str]] = index["labels"]
            self.targets_known: list[str] = index["targets"]
            self._words: list[str] = index["words"]
            self._shown = np.array(index["shown"], dtype=np.int64).reshape(-1, 2)
            counts = np.array(index["annotations"], dtype=np.int64)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"{place} must be an index of segmentations, got another file; prepare anew.") from error
        if not len(self.names) == len(self.labels) == len(self._shown) == len(counts) > 0:
            raise FileError(f"{place} must list all it knows of as many images, got another; prepare anew.")
        self._starts = np.concatenate([[0], counts.cumsum()])
        bits = -(-len(self.names) * len(self.targets_known) // 8)
        self._check(IMAGES, 2 * len(self.names) * self.edge**2)
        self._check(TABLE, 4 * len(COLUMNS) * int(self._starts[-1]))
        self._check(ANSWERS, 2 * bits)
        self._table = np.fromfile(self.folder / TABLE, dtype="<i4").reshape(-1, len(COLUMNS))
        pixels = self._table[:, 4].astype(np.int64) * self._table[:, 5]
        self._bytes = np.concatenate([[0], (-(-pixels // 8)).cumsum()])
        self._check(MASKS, int(self._bytes[-1]))
        answers = np.fromfile(self.folder / ANSWERS, dtype=np.uint8).reshape(2, bits)
        size = (len(self.names), len(self.targets_known))
        self.shows, self.lacks = (np.unpackbits(row, count=size[0] * size[1]).reshape(size) > 0 for row in answers)
        self._maps: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        """How many images."""
        return len(self.names)

    def __getstate__(self) -> dict[str, Any]:
        """Without memory maps, which each process opens for itself."""
        return {**self.__dict__, "_maps": {}}

    def split(self, number: int) -> str:
        """What the patient of image `number` is for."""
        return self.labels[number]["split"]

    def patient(self, number: int) -> str:
        """The patient that image `number` shows; with the name of its data set."""
        return self.labels[number]["patient"]

    def view(self, number: int) -> str:
        """The radiographic view, or "random", "orbit", ..."""
        return self.labels[number]["view"]

    def numbers_of(self, split: str | None = None) -> list[int]:
        """The images of a split; None is all."""
        return [n for n, label in enumerate(self.labels) if split is None or label["split"] == split]

    def shown(self, number: int) -> Size:
        """Rows and columns of the stored square that show image `number`."""
        return int(self._shown[number, 0]), int(self._shown[number, 1])

    def image(self, number: int) -> Tensor:
        """-ln of the intensity of image `number`, bone bright, (rows, columns) float32."""
        edge, (rows, columns) = self.edge, self.shown(number)
        codes = self._map(IMAGES, np.dtype("<u2"))[number * edge**2 : (number + 1) * edge**2].reshape(edge, edge)
        return torch.from_numpy(codes[:rows, :columns].astype(np.float32)).mul_(STEP).add_(LOWEST)

    def annotation_names(self, number: int) -> tuple[str, ...]:
        """Names of the A annotations of image `number`."""
        return tuple(self._words[code] for code in self._rows(number)[:, 0].tolist())

    def annotation_kinds(self, number: int) -> tuple[str, ...]:
        """Whether each is an "organ" or a "tool"."""
        return tuple("tool" if tool else "organ" for tool in self._rows(number)[:, 1].tolist())

    def areas(self, number: int) -> NDArray[np.float64]:
        """The share of image `number` that each annotation covers, (A,)."""
        rows, columns = self.shown(number)
        return self._rows(number)[:, 6] / (rows * columns)

    def masks(self, number: int, annotations: Sequence[int] | None = None) -> Tensor:
        """The masks of annotations, or of all, (A, M, M) bool over the network's square; amodal, so they overlap."""
        wanted = range(len(self._rows(number))) if annotations is None else annotations
        shown = self.shown(number)
        places = mask_places(plain_framing(shown, self.edge, self.image_size), shown, self.edge, self.mask_size)
        made = [self.union(number, [one])[places] for one in wanted]
        size = self.mask_size
        return torch.from_numpy(np.array(made, dtype=np.bool_).reshape(-1, size, size))

    def union(self, number: int, annotations: Sequence[int]) -> NDArray[np.bool_]:
        """Where any of some annotations is, over the stored square row by row, and a last False: (E E + 1,)."""
        flat = np.zeros(self.edge**2 + 1, dtype=np.bool_)
        square = flat[:-1].reshape(self.edge, self.edge)
        bits, first = self._map(MASKS, np.dtype("u1")), int(self._starts[number])
        for one in annotations:
            _, _, top, left, rows, columns, _ = self._table[first + one].tolist()
            packed = bits[self._bytes[first + one] : self._bytes[first + one + 1]]
            inside = np.unpackbits(packed, count=rows * columns).reshape(rows, columns)
            square[top : top + rows, left : left + columns] |= inside.view(np.bool_)
        return flat

    def targets(self, number: int) -> dict[str, tuple[int, ...]]:
        """Every target that image `number` shows, and the annotations that make it up.

        A target that covers less than 0.1 % or more than 90 % of the image does not count; of groups the sum of their
        annotations is taken, so few at the upper end may be larger together than they are.
        """
        names, kinds = self.annotation_names(number), self.annotation_kinds(number)
        known = (self.targets_known[t] for t in np.flatnonzero(self.shows[number]).tolist())
        return {target: annotations_of(find_target(target), names, kinds) for target in known}

    def absent(self, number: int) -> tuple[str, ...]:
        """The targets that image `number` surely does not show; none where not everything was labelled."""
        return tuple(self.targets_known[t] for t in np.flatnonzero(self.lacks[number]).tolist())

    @cached_property
    def target_numbers(self) -> dict[str, int]:
        """Places of the names in `targets_known`."""
        return {name: n for n, name in enumerate(self.targets_known)}

    def _rows(self, number: int) -> NDArray[np.int32]:
        return self._table[self._starts[number] : self._starts[number + 1]]

    def _map(self, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
        if name not in self._maps:
            self._maps[name] = np.memmap(self.folder / name, dtype=kind, mode="r")
        return self._maps[name]

    def _check(self, name: str, expected: int) -> None:
        file = self.folder / name
        held = file.stat().st_size if file.is_file() else 0
        if held != expected:
            raise FileError(f"{file} must hold {expected} bytes, got {held}; prepare the data anew.")
