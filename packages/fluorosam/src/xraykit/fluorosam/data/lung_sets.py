"""Chest X-rays with lung masks in the layouts of three public sets: JSRT with SCR's masks, Montgomery, Shenzhen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import FileError, InputError, read_radiograph
from xraykit.render.extras import require

from ..vocabulary.structures import mirrored_name
from .network_input import BoneTone

LungLayout = Literal["jsrt", "montgomery", "shenzhen"]
JSRT_EDGE, JSRT_SPACING, MONTGOMERY_SPACING = 2048, 0.175, 0.0875
_PICTURES = (".png", ".gif", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")
_MASKS: Mapping[LungLayout, Mapping[str, str]] = {
    "jsrt": {
        "left lung": "lung_left", "right lung": "lung_right", "heart": "heart",
        "left clavicle": "clavicula_left", "right clavicle": "clavicula_right",
    },
    "montgomery": {"leftmask": "lung_left", "rightmask": "lung_right"},
    "shenzhen": {"mask": "lungs", "masks": "lungs"},
}  # fmt: skip
_SETS = {"jsrt": "JSRT", "montgomery": "the Montgomery set", "shenzhen": "the Shenzhen set"}


@dataclass(frozen=True, eq=False)
class LungXray:
    """A chest X-ray with its masks.

    Args:
        name: Of its file, without suffix.
        image: (H, W) float32 grey values.
        bone: Whether bone is bright or dark in it.
        labels: Names of the masks.
        masks: (A, H, W) bool.
        spacing: Of a pixel of `image` [mm], or None where the set does not say.
    """

    name: str
    image: Tensor
    bone: BoneTone
    labels: tuple[str, ...]
    masks: Tensor
    spacing: float | None


class LungSet:
    """The X-rays of a folder in one of three layouts, those with a mask, by name.

    - jsrt: *.IMG files of 2048 x 2048 numbers of 12 bits in 16, high byte first, that grow with the film's blackening,
      so bone is low; masks of SCR in folders named "left lung", "right lung", "heart", "left clavicle" and "right
      clavicle", anywhere below, of any size.
    - montgomery: CXR_png/NAME.png, ManualMask/leftMask/NAME.png, ManualMask/rightMask/NAME.png.
    - shenzhen: CXR_png/NAME.png, and NAME_mask.png in a folder "mask" or "masks".

    Sides are the patient's, and pictures are shown facing the patient: where masks called left and right lie the other
    way round, their names are exchanged.

    Args:
        folder: Holds the set.
        layout: Which.
        longest: X-rays are made smaller until no edge is longer [px].

    Raises:
        FileError: No X-ray with a mask.
    """

    def __init__(self, folder: str | Path, layout: LungLayout, *, longest: int = 1024) -> None:
        if layout not in get_args(LungLayout):
            raise InputError(f"layout must be one of {', '.join(get_args(LungLayout))}, got {str(layout)[:40]!r}.")
        self.folder, self.layout, self.longest = Path(folder), layout, longest
        masks = _masks(self.folder, layout)
        images = _images(self.folder, layout)
        self.files = {name: (path, masks[name]) for name, path in sorted(images.items()) if name in masks}
        if not self.files:
            folders = ", ".join(_MASKS[layout])
            raise FileError(
                f"{folder} must hold {_SETS[layout]}, X-rays with masks in folders called {folders}, got "
                f"{len(images)} X-rays and {len(masks)} masks of equal names in none."
            )
        self.names = tuple(self.files)

    def __len__(self) -> int:
        return len(self.names)

    def read(self, number: int) -> LungXray:
        """The X-ray of a number.

        Raises:
            FileError: A damaged file, or a mask of another shape than its X-ray.
        """
        name = self.names[number]
        path, found = self.files[name]
        image = _raw(path) if path.suffix.lower() == ".img" else read_radiograph(path, colour="luma").pixels[0]
        bone: BoneTone = "dark" if path.suffix.lower() == ".img" else "bright"
        spacing = {"jsrt": JSRT_SPACING, "montgomery": MONTGOMERY_SPACING, "shenzhen": None}[self.layout]
        height, width = image.shape
        scale = min(1.0, self.longest / max(height, width))
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        masks = torch.stack([_fitted(mask, size, (height, width)) for mask in found.values()])
        small = F.interpolate(image[None, None], size, mode="bilinear", antialias=True)[0, 0]
        labels = _sides_of_picture(tuple(found), masks)
        if spacing is not None:
            spacing *= (JSRT_EDGE if self.layout == "jsrt" else height) / size[0]  # JSRT is often kept smaller
        return LungXray(name, small, bone, labels, masks, spacing)


def _images(folder: Path, layout: LungLayout) -> dict[str, Path]:
    """X-rays by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        raw = layout == "jsrt" and path.suffix.lower() == ".img"
        below = [part.lower() for part in path.relative_to(folder).parts[:-1]]
        if raw or (path.suffix.lower() in _PICTURES and not any(_is_mask_folder(part, layout) for part in below)):
            found.setdefault(path.stem.upper(), path)
    return found


def _masks(folder: Path, layout: LungLayout) -> dict[str, dict[str, Path]]:
    """Masks by the X-ray's name and by label."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*")):
        label = _MASKS[layout].get(_plain(path.parent.name))
        if label and path.suffix.lower() in _PICTURES:
            name = re.sub(r"_mask$", "", path.stem, flags=re.IGNORECASE).upper()
            found.setdefault(name, {}).setdefault(label, path)
    return found


def _is_mask_folder(part: str, layout: LungLayout) -> bool:
    return _plain(part) in _MASKS[layout] or _plain(part) in ("masks", "manualmask")


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().lower()


def _raw(path: Path) -> Tensor:
    """Grey values of a .IMG file."""
    expected = 2 * JSRT_EDGE**2
    try:
        if path.stat().st_size != expected:
            raise FileError(
                f"{path} must hold {JSRT_EDGE} x {JSRT_EDGE} numbers of 16 bits, got {path.stat().st_size} bytes; get "
                "it again."
            )
        values = np.fromfile(path, dtype=">u2").astype(np.float32)
    except OSError as error:
        raise FileError(f"{path} must be a readable .IMG file, got: {error.strerror or error}.") from error
    if values.max() > 4095:
        raise FileError(f"{path} must hold 12-bit numbers, high byte first, got {int(values.max())}; get it again.")
    return torch.from_numpy(values.reshape(JSRT_EDGE, JSRT_EDGE))


def _fitted(path: Path, size: tuple[int, int], image: tuple[int, int]) -> Tensor:
    """A mask at the X-ray's new size: pixels more than half covered."""
    mask = torch.from_numpy(_picture(path) > 0).float()
    if abs(mask.shape[0] * image[1] - mask.shape[1] * image[0]) > 0.02 * mask.shape[0] * image[1]:
        raise FileError(
            f"{path} must have the shape of its X-ray, {image[0]} x {image[1]}, got {mask.shape[0]} x {mask.shape[1]}."
        )
    return F.interpolate(mask[None, None], size, mode="bilinear", antialias=True)[0, 0] > 0.5


def _picture(path: Path) -> NDArray[Any]:
    image = require("PIL.Image", extra="evaluate", distribution="xraykit-fluorosam")
    try:
        with image.open(path) as file:
            return np.asarray(file.convert("L"))
    except (OSError, SyntaxError, ValueError, EOFError, image.DecompressionBombError) as error:
        raise FileError(f"{path} must be a whole picture of a mask, got a damaged one ({str(error)[:80]}).") from error


def _sides_of_picture(labels: tuple[str, ...], masks: Tensor) -> tuple[str, ...]:
    """The labels, with left and right exchanged if the patient's left lung lies at the picture's left."""
    if not {"lung_left", "lung_right"} <= set(labels):
        return labels
    columns = {
        label: float(mask.nonzero()[:, 1].double().mean())
        for label, mask in zip(labels, masks, strict=True)
        if label in ("lung_left", "lung_right") and bool(mask.any())
    }
    if len(columns) < 2 or columns["lung_left"] >= columns["lung_right"]:
        return labels
    return tuple(mirrored_name(label) for label in labels)
