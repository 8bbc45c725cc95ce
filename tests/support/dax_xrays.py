"""Small X-ray pictures on disk and a small backbone that sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.network import BackboneConfig, new_backbone, save_backbone

SIZES = ((40, 40), (33, 52), (64, 48), (24, 31))


def xray_picture(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """An upright bone off the middle in a field of tissue, bone bright, (H, W) uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    tissue = 110 * np.exp(-(((columns - 0.4) / 0.3) ** 2))
    bone = 110 * (np.abs(columns - 0.25 - 0.02 * rng.normal()) < 0.08) * (rows > 0.2)
    return np.clip(tissue + bone + rng.normal(0, 4, (height, width)), 0, 255).astype(np.uint8)


def write_xrays(folder: Path, count: int = 6, *, name: str = "xray") -> Path:
    """PNG files of mixed sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        Image.fromarray(xray_picture(*SIZES[n % len(SIZES)], seed=n)).save(folder / f"{name}{n:02d}.png")
    return folder


def damage(path: Path) -> Path:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def write_backbone(folder: Path, architecture: str = "test_vit", *, size: int = 48, seed: int = 0) -> Path:
    """Untrained weights of a backbone that sees X-rays at size x size pixels."""
    config = BackboneConfig(architecture, image_size=size, preprocess=PreprocessSettings(size=size))
    save_backbone(new_backbone(config, seed=seed), folder, trained_on={"images": "none"})
    return folder


def read_png(path: Path) -> np.ndarray:
    """The pixels of a picture file, closed again."""
    with Image.open(path) as image:
        return np.asarray(image)
