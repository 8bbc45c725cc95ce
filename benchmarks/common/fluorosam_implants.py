"""Fluoroscopy of knee replacements with masks of their components, as it lies beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from xraykit.fluorosam.evaluate import SegmentationCase

COMPONENTS = ("femoral_component", "tibial_component")
MIDDLE = 127  # masks went through JPEG


class ImplantCases:
    """All frames as cases; intensity images, in which metal and bone are dark.

    Args:
        folder: Holds biplane_knee_implant and kneel_implant, or one of them.
    """

    notes = ("knee implants: masks by hand, which went through JPEG",)

    def __init__(self, folder: Path) -> None:
        self._frames = [*_biplane(folder / "biplane_knee_implant"), *_single(folder / "kneel_implant")]
        if not self._frames:
            raise SystemExit(f"{folder} holds neither biplane_knee_implant nor kneel_implant")

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[SegmentationCase]:
        for subject, name, frame, *masks in self._frames:
            parts = torch.stack([grey(mask) > MIDDLE for mask in masks])
            targets = {target: (n,) for n, target in enumerate(COMPONENTS)}
            yield SegmentationCase(f"{subject}/{name}", subject, "knee", grey(frame).float(), "dark", parts, targets)


def _biplane(folder: Path) -> Iterator[tuple]:
    for camera in ("cam1", "cam2"):
        for frame in sorted((folder / camera).glob("*.png")):
            name = f"{camera}_{frame.stem}"
            yield folder.name, name, frame, *(folder / "masks" / f"{name}_{part}.png" for part in ("femoral", "tibial"))


def _single(folder: Path) -> Iterator[tuple]:
    for mask in sorted(folder.glob("*_fem.png")):
        name = mask.stem.removesuffix("_fem")
        yield folder.name, name, folder / f"{name}.png", mask, folder / f"{name}_tib.png"


def grey(path: Path) -> Tensor:
    """(H, W) grey values."""
    return torch.from_numpy(np.array(Image.open(path).convert("L")))
