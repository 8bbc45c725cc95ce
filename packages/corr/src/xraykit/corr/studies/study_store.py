"""The X-rays of studies prepared for a network, once, in one memory-mapped file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.storage import atomic_folder, read_json_object

from ..data.settings import XrayInputSettings
from ..data.xray_input import prepare_xray
from ..data.xray_reading import XrayReading
from .study import LabelledStudy

IMAGES, INDEX = "images.bin", "index.json"
FORMAT, MOST_BYTES = 2, 1 << 20
MOST = 65_534  # of the codes of grey values, which begin at 1; 0 is a pixel that does not show the X-ray


class StudyStore:
    """Prepared X-rays of studies by number; made by `prepare_studies`.

    Args:
        studies: Which.
        folder: Where the images lie.
        size: Edge of the images S [px].
        views: V, most views of a study; those that a study lacks are absent.
    """

    def __init__(self, studies: Sequence[LabelledStudy], folder: Path, *, size: int, views: int) -> None:
        self.studies, self.folder, self.size, self.views = tuple(studies), folder, size, views
        self.labels = torch.tensor([study.label for study in studies], dtype=torch.float32)
        counts = torch.tensor([min(len(study.images), views) for study in studies])
        self.present = torch.arange(views)[None] < counts[:, None]
        """Views that there are, (N, V) bool"""
        self._starts = np.concatenate([[0], counts.numpy().cumsum()])
        self._map: NDArray[Any] | None = None

    def __len__(self) -> int:
        """How many studies."""
        return len(self.studies)

    def __getstate__(self) -> dict[str, Any]:
        """Without the memory map, which each process opens for itself."""
        return {**self.__dict__, "_map": None}

    def images(self, number: int) -> Tensor:
        """The views of a study, (V, 1, S, S) float32 in [0, 1], bone bright; 0 for absent ones."""
        codes = self._codes(number)
        found = torch.zeros(self.views, 1, self.size, self.size)
        found[: len(codes), 0] = (torch.from_numpy(codes.astype(np.float32)) - 1).clamp_(min=0) / MOST
        return found

    def inside(self, number: int) -> Tensor:
        """Which pixels of the views show the X-ray, (V, S, S) bool; none of absent views."""
        codes = self._codes(number)
        found = torch.zeros(self.views, self.size, self.size, dtype=torch.bool)
        found[: len(codes)] = torch.from_numpy(codes > 0)
        return found

    def _codes(self, number: int) -> NDArray[Any]:
        if self._map is None:
            shape = (int(self._starts[-1]), self.size, self.size)
            self._map = np.memmap(self.folder / IMAGES, dtype="<u2", mode="r", shape=shape)
        return self._map[self._starts[number] : self._starts[number + 1]]

    def numbers_of(self, split: str) -> list[int]:
        """The numbers of the studies of a split, ascending."""
        return [number for number, study in enumerate(self.studies) if study.split == split]


def prepare_studies(
    studies: Sequence[LabelledStudy],
    folder: str | Path,
    inputs: XrayInputSettings,
    *,
    views: int = 2,
    reading: XrayReading | None = None,
    report: Callable[[int, int], None] | None = None,
) -> StudyStore:
    """Read and prepare the first views of each study; what lies in the folder already is taken if it is the same.

    Args:
        studies: Of a manifest.
        folder: Where to; replaced if it holds other studies.
        inputs: How an X-ray becomes input.
        views: Most views of a study, the first ones by number.
        reading: How files are read.
        report: Called with (X-rays done, X-rays in all).

    Raises:
        InputError: views below 1, or an X-ray that shows nothing.
        FileError: An X-ray that cannot be read; the sentence names it.
        OutputError: The folder cannot be written.
    """
    if views < 1:
        raise InputError(f"--views must be 1 or more, got {views}.")
    folder = Path(folder)
    shown = [study.images[:views] for study in studies]
    total = sum(map(len, shown))
    digest = _digest([image.path for images in shown for image in images], inputs, reading)
    if _holds(folder, digest, 2 * total * inputs.size**2):
        return StudyStore(studies, folder, size=inputs.size, views=views)
    done = 0
    with atomic_folder(folder, owned=(IMAGES, INDEX)) as staged:
        with (staged / IMAGES).open("wb") as file:
            for image in (image for images in shown for image in images):
                prepared = prepare_xray(image.path, inputs, reading=reading)
                codes = ((prepared.image[0] * MOST).round() + 1) * prepared.inside
                file.write(codes.numpy().astype("<u2").tobytes())
                done += 1
                if report is not None:
                    report(done, total)
        (staged / INDEX).write_text(json.dumps({"format": FORMAT, "digest": digest}) + "\n", encoding="utf-8")
    return StudyStore(studies, folder, size=inputs.size, views=views)


def _digest(paths: Sequence[Path], inputs: XrayInputSettings, reading: XrayReading | None) -> str:
    files = []
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise FileError(f"{path} must be an X-ray, got: {error.strerror or error}.") from error
        files.append((path.absolute().as_posix(), found.st_size, found.st_mtime_ns))
    facts = (FORMAT, files, asdict(inputs), None if reading is None else asdict(reading))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _holds(folder: Path, digest: str, size: int) -> bool:
    if not (folder / INDEX).is_file() or not (folder / IMAGES).is_file():
        return False
    try:
        index = read_json_object(folder / INDEX, what="an index of studies", most_bytes=MOST_BYTES)
    except FileError:
        return False
    return index.get("digest") == digest and (folder / IMAGES).stat().st_size == size
