"""FluoroSeg's published layout: CASE.json, and in CASE/ an image and a list of annotations for each X-ray."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from xraykit.render import FileError, InputError, read_radiograph
from xraykit.render.storage import kind_at, parse_json, text_of

from ..vocabulary.fluoroseg_names import real_rib_name
from .fluoroseg_case import FluoroSegCase, FluoroSegImage, category_of, read_fluoroseg_case
from .fluoroseg_masks import FluoroSegMask, decode_fluoroseg_mask

FluoroSegSplit = Literal["train", "val"]
RibNames = Literal["as named", "legacy"]
"""Whether ribs are what their categories are called, or were called by today's table though numbered by the one before
TotalSegmentator 2.2.1; `check_rib_names` tells which."""
EPSILON = 1e-3
_TRAIN_SHARE = 0.9
_MOST_BYTES = 1 << 28


@dataclass(frozen=True, eq=False)
class FluoroSegSample:
    """One X-ray with its masks.

    Args:
        image: What the table says of it.
        intensity: (H, W) float32, as stored: before any logarithm.
        labels: Name of each annotation; "tool" for any tool.
        cuts: Where the CT's border cut it: "" nowhere, "I" below, "S" above.
        masks: (A, H, W) bool.
        annotations: The same with depths and path lengths, where the file has them.
    """

    image: FluoroSegImage
    intensity: Tensor
    labels: tuple[str, ...]
    cuts: tuple[str, ...]
    masks: Tensor
    annotations: tuple[FluoroSegMask, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each annotation "organ" or "tool"."""
        return tuple("tool" if label == "tool" else "organ" for label in self.labels)

    def log_attenuation(self) -> Tensor:
        """-ln(I - min(I) + 0.001), (H, W) float32: bone bright."""
        return -(self.intensity - self.intensity.min() + EPSILON).log()


class FluoroSegData:
    """The X-rays of a folder in FluoroSeg's layout.

    Cases of a split are those in train.txt or val.txt, a CASE.json a line; without these files the first 90 % of the
    names in order are for training.

    Args:
        folder: With CASE.json files.
        split: "train" or "val"; None is every case.
        ribs: How ribs are named.
        least_grad_ncc: Registered real images with less are left out.

    Raises:
        FileError: No cases, a damaged one, or one that a split names and that is not there.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        split: FluoroSegSplit | None = None,
        ribs: RibNames = "as named",
        least_grad_ncc: float | None = None,
    ) -> None:
        if ribs not in get_args(RibNames):
            raise InputError(f"ribs must be 'as named' or 'legacy', got {str(ribs)[:40]!r}.")
        self.folder, self.ribs = Path(folder), ribs
        self.cases: dict[str, FluoroSegCase] = {}
        found: list[FluoroSegImage] = []
        for path in fluoroseg_cases(self.folder, split):
            case = self.cases[path.stem] = read_fluoroseg_case(path)
            found += [one for one in case.images if least_grad_ncc is None or _fit(one) >= least_grad_ncc]
        self.images = tuple(found)

    def __len__(self) -> int:
        return len(self.images)

    def read(self, number: int) -> FluoroSegSample:
        """The X-ray of a number.

        Raises:
            FileError: A missing file, an image of another size than its case says, or an annotation that cannot be.
        """
        image = self.images[number]
        size = (image.height, image.width)
        pixels = read_radiograph(image.path, polarity="intensity").pixels
        if tuple(pixels.shape) != (1, *size):
            came = " x ".join(map(str, pixels.shape[1:])) + (f", {len(pixels)} pages" if len(pixels) > 1 else "")
            raise FileError(f"{image.path} must have the {size[0]} x {size[1]} pixels of its case, got {came}.")
        labels, cuts, annotations = [], [], []
        for row, entry in enumerate(_entries(image.annotations)):
            place = f"{image.annotations}, annotation {row}"
            label, cut = _category(self.cases[image.case], entry, place)
            labels.append(real_rib_name(label) if self.ribs == "legacy" else label)
            cuts.append(cut)
            annotations.append(decode_fluoroseg_mask(entry.get("segmentation"), size, place=place))
        masks = torch.zeros(len(labels), *size, dtype=torch.bool)
        for mask, annotation in zip(masks, annotations, strict=True):
            mask[:] = torch.from_numpy(annotation.mask.copy())
        return FluoroSegSample(image, pixels[0], tuple(labels), tuple(cuts), masks, tuple(annotations))


def fluoroseg_cases(folder: Path, split: FluoroSegSplit | None = None) -> list[Path]:
    """The CASE.json files of a split, by name.

    Raises:
        FileError: There are none, or one is missing that the split names. InputError: No such split.
    """
    if split is not None and split not in get_args(FluoroSegSplit):
        raise InputError(f"split must be train or val, got {str(split)[:40]!r}.")
    names = sorted(path.name for path in folder.glob("*.json")) if folder.is_dir() else []
    if not names:
        raise FileError(f"{folder} must hold cases of FluoroSeg (CASE.json), got none.")
    if split is not None:
        listed = folder / f"{split}.txt"
        if listed.is_file():
            names = [line.strip() for line in _text(listed).splitlines() if line.strip()]
        elif (folder / "train.txt").is_file() or (folder / "val.txt").is_file():
            names = []
        else:
            first = int(_TRAIN_SHARE * len(names))
            names = names[:first] if split == "train" else names[first:]
    for name in names:
        if Path(name).name != name or kind_at(folder / name) != "file":
            raise FileError(f"{folder / f'{split}.txt'} must name CASE.json files beside it, got {name[:80]!r}.")
    if not names:
        raise FileError(f"{folder} must hold a case of the split {split!r}, got none; read it without a split.")
    return [folder / name for name in names]


def _fit(image: FluoroSegImage) -> float:
    """Of simulated images, which need none, infinity."""
    return math.inf if image.grad_ncc is None else image.grad_ncc


def _entries(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileError(f"{path} must be at most {_MOST_BYTES} bytes, got {path.stat().st_size}.")
        content = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"annotations were expected at {path}, got {error.strerror or error}; check the set."
        ) from error
    entries = parse_json(content, place=str(path))
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise FileError(f"{path} must hold a list of annotations, got {type(entries).__name__}.")
    return entries


def _category(case: FluoroSegCase, entry: Mapping[str, Any], place: str) -> tuple[str, str]:
    try:
        return category_of(case, entry.get("category_id"))
    except InputError as error:
        raise FileError(f"{place}: {error}") from error


def _text(path: Path) -> str:
    try:
        return text_of(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} must be a readable text file in UTF-8, got: {error}.") from error
