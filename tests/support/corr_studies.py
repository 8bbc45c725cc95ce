"""Small studies of two X-rays: a bright spot in both is a finding, one in a single view is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from xraykit.corr.studies.manifest import write_studies
from xraykit.corr.studies.study import LabelledStudy, StudyImage
from xraykit.corr.studies.study_truth import write_truth

EDGE = 64


def picture(rng: np.random.Generator, spot: bool) -> np.ndarray:
    """A bone-bright picture of a column, with a spot or not; (64, 64) uint8."""
    y, x = np.mgrid[:EDGE, :EDGE]
    values = 120.0 * np.exp(-(((x - 32) / 12) ** 2)) + rng.normal(0, 2, (EDGE, EDGE))
    if spot:
        row, column = rng.uniform(16, 48), rng.uniform(26, 38)
        values += 110 * np.exp(-((x - column) ** 2 + (y - row) ** 2) / 18)
    return values.clip(0, 255).astype(np.uint8)


def write_pictures(folder: Path, names: Sequence[str], *, seed: int = 0) -> None:
    """Pictures by path from the folder on."""
    rng = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(rng, False)).save(folder / name)


def write_study_set(folder: Path, *, each: int = 8, views: int = 2, grid: int = 8, truth: bool = True) -> Path:
    """A manifest of `each` studies a split, labels in turn, images beside it, and a made-up correspondence."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, studies, matrices = np.random.default_rng(1), [], {}
    for split in ("train", "val", "test"):
        for number in range(each):
            name, label = f"{split}{number}", number % 2
            images = []
            for view in range(views):
                path = folder / f"{name}_{view}.png"
                Image.fromarray(picture(rng, bool(label))).save(path)
                images.append(StudyImage(path, view, ("PA", "lateral", "oblique")[view]))
            studies.append(LabelledStudy(name, f"p_{name}", split, label, tuple(images)))
            pairs = views * (views - 1) // 2
            matrices[name] = rng.integers(0, 256, (pairs, grid**2, grid**2)).astype(np.uint8)
    if truth:
        write_truth(folder, matrices)
    return write_studies(studies, folder / "studies.csv")
