"""A session of the page of masks, on small X-rays and a network whose answers can be foretold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from xraykit.fluorosam import FluoroSam
from xraykit.fluorosam.app import MaskServer, MaskSession
from xraykit.render import Camera
from xraykit.render.radiographs import save_image

from .fluorosam_networks import KnownNetwork

SIZES = ((60, 40), (48, 64))
CALIBRATION = {"calibration": {"visible": 0.7}}


def write_xrays(folder: Path, *sizes: tuple[int, int]) -> list[Path]:
    """a.png, b.png, ... that grow brighter from left to right, each with a mark of its own."""
    paths = []
    for number, (height, width) in enumerate(sizes or SIZES):
        grey = np.tile(np.linspace(0, 200, width), (height, 1)).astype(np.uint8)
        grey[number, 0] = 255
        paths.append(folder / f"{'abcdefgh'[number]}.png")
        Image.fromarray(grey).save(paths[-1])
    return paths


def write_dicom(path: Path, *, spacing: float = 0.5) -> Path:
    """A DICOM X-ray of 48 x 64 pixels with this spacing [mm]."""
    camera = Camera(sdd=1000.0, height=48, width=64, pixel_spacing=spacing)
    image = torch.linspace(0.1, 2.0, 64).expand(1, 1, 48, 64).clone()
    image[..., 0, 0] = 3.0
    save_image(path, image, camera=camera)
    return path


def known_sam(trained_on: Mapping[str, object] | None = None) -> FluoroSam:
    """Words find what is bright, "spleen" is never there."""
    return FluoroSam(KnownNetwork(CALIBRATION if trained_on is None else trained_on), device="cpu")


def opened(folder: Path, files: list[Path] | None = None, *, out: str = "out") -> MaskSession:
    """A session on a.png and b.png of the folder, or on other files, with the first open."""
    session = MaskSession(known_sam(), files or [folder / "a.png", folder / "b.png"], folder / out)
    session.open(0)
    return session


def small_page(folder: Path) -> MaskServer:
    """The running page on two new X-rays in the folder."""
    write_xrays(folder)
    return MaskServer(opened(folder), port=0)


def written(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))
