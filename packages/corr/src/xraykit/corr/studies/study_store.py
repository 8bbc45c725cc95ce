"""The X-rays of studies prepared for a network, once, in one memory-mapped file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.commands import LeftOut
from xraykit.render.storage import atomic_folder, read_json_object
from xraykit.render.training import is_follower, wait_for_first

from ..data.settings import XrayInputSettings
from ..data.xray_input import PreparedXray, prepare_xray
from ..data.xray_reading import XrayReading
from .study import LabelledStudy

IMAGES, INDEX = "images.bin", "index.json"
FORMAT, MOST_BYTES = 3, 1 << 28
LONGEST_WAIT = 24 * 3600.0
"""Seconds that other processes wait for the first."""
MOST = 65_534  # of the codes of grey values, which begin at 1; 0 is a pixel that does not show the X-ray


class StudyStore:
    """Prepared X-rays of studies by number; made by `prepare_studies`.

    Args:
        studies: Which.
        folder: Where the images lie.
        size: Edge of the images S [px].
        views: V, most views of a study; those that a study lacks are absent.
        assumed: X-rays by what was assumed of them or is doubtful.
        left_out: (name, sentence) of each study with an X-ray that cannot be used; it is not among these.
    """

    def __init__(
        self,
        studies: Sequence[LabelledStudy],
        folder: Path,
        *,
        size: int,
        views: int,
        assumed: Mapping[str, Sequence[str]] | None = None,
        left_out: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.assumed, self.left_out = dict(assumed or {}), tuple(left_out)
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
    left_out: LeftOut | None = None,
) -> StudyStore:
    """Read and prepare the first views of each study; what lies in the folder already is taken if it is the same.

    Of several processes of a training the first prepares, and the others wait for it.

    Args:
        studies: Of a manifest.
        folder: Where to; replaced if it holds other studies.
        inputs: How an X-ray becomes input.
        views: Most views of a study, the first ones by number.
        reading: How files are read.
        report: Called with (X-rays done, X-rays in all).
        left_out: Takes the studies with an X-ray that cannot be used; None ends at the first.

    Raises:
        InputError: views below 1, or an X-ray that shows nothing.
        FileError: An X-ray that is missing or cannot be read; the sentence names it.
        OutputError: The folder cannot be written.
    """
    if views < 1:
        raise InputError(f"--views must be 1 or more, got {views}.")
    folder, left_out = Path(folder), left_out or LeftOut(none=True)
    digest = _digest([image.path for study in studies for image in study.images[:views]], inputs, reading)

    def held() -> StudyStore | None:
        return _held(folder, studies, digest, size=inputs.size, views=views)

    found = wait_for_first(held, folder, seconds=LONGEST_WAIT) if is_follower() else held()
    if found is None or (found.left_out and left_out.none):
        with atomic_folder(folder, owned=(IMAGES, INDEX)) as staged:
            _prepare(studies, staged, digest, _Preparing(inputs, views, reading, report), none=left_out.none)
        found = held()
    if found is None:
        raise FileError(f"{folder} must hold the studies that were prepared in it, got others; is it shared?")
    left_out.found += found.left_out
    return found


class _Preparing:
    """Reads the X-rays of one study after another."""

    def __init__(
        self,
        inputs: XrayInputSettings,
        views: int,
        reading: XrayReading | None,
        report: Callable[[int, int], None] | None,
    ) -> None:
        self.inputs, self.views, self.reading, self.report = inputs, views, reading, report
        self.done = self.total = 0

    def __call__(self, study: LabelledStudy) -> tuple[LabelledStudy, list[PreparedXray]]:
        """The study with its first X-rays as input."""
        images = study.images[: self.views]
        try:
            return study, [prepare_xray(image.path, self.inputs, reading=self.reading) for image in images]
        finally:
            self.done += len(images)
            if self.report is not None:
                self.report(self.done, self.total)


def _prepare(studies: Sequence[LabelledStudy], folder: Path, digest: str, read: _Preparing, *, none: bool) -> None:
    """Write the images of the studies that can be used, and what is known of all of them."""
    left_out, assumed, kept = LeftOut(none=none), dict[str, list[str]](), list[str]()
    read.total = sum(len(study.images[: read.views]) for study in studies)
    with (folder / IMAGES).open("wb") as file:
        for study, images in left_out.kept(studies, read, name=lambda study: f"study {study.name}"):
            kept.append(study.name)
            for image, one in zip(images, study.images, strict=False):
                codes = ((image.image[0] * MOST).round() + 1) * image.inside
                file.write(codes.numpy().astype("<u2").tobytes())
                for note in image.notes:
                    assumed.setdefault(note, []).append(f"study {study.name}, {one.path.name}")
    left_out.check(len(kept))
    facts = {"studies": kept, "assumed": assumed, "left_out": left_out.found}
    text = json.dumps({"format": FORMAT, "digest": digest, **facts}) + "\n"
    (folder / INDEX).write_text(text, encoding="utf-8")


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


def _held(folder: Path, studies: Sequence[LabelledStudy], digest: str, *, size: int, views: int) -> StudyStore | None:
    """What lies in a folder; None where that is something else."""
    if not (folder / INDEX).is_file() or not (folder / IMAGES).is_file():
        return None
    try:
        index = read_json_object(folder / INDEX, what="an index of studies", most_bytes=MOST_BYTES)
        if index["digest"] != digest:
            return None
        names = set(index["studies"])
        kept = [study for study in studies if study.name in names]
        said = {"assumed": index["assumed"], "left_out": [(str(name), str(why)) for name, why in index["left_out"]]}
    except (FileError, KeyError, TypeError, ValueError):
        return None
    images = sum(len(study.images[:views]) for study in kept)
    if (folder / IMAGES).stat().st_size != 2 * images * size**2:
        return None
    return StudyStore(kept, folder, size=size, views=views, **said)
