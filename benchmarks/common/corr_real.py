"""Real biplane X-rays with their cameras and masks, as they lie beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from xraykit.corr.data import XrayInputSettings, XrayReading, prepare_xray
from xraykit.corr.evaluate import RealPair, pinhole_projection

READING = XrayReading(polarity="intensity")


def read_calibration(path: Path) -> dict[str, np.ndarray]:
    """The blocks of a calibration file by their titles: image size, camera matrix, rotation, translation."""
    blocks: dict[str, np.ndarray] = {}
    for block in path.read_text(encoding="utf-8").replace("\r", "").strip().split("\n\n"):
        title, *lines = block.strip().split("\n")
        blocks[title.strip()] = np.array([[float(number) for number in line.split(",")] for line in lines])
    return blocks


def implant_pairs(folder: Path, settings: XrayInputSettings) -> Iterator[RealPair]:
    """The frames of a knee replacement, both cameras at once, with the masks of both components."""
    cameras = [folder / "cam1.txt", folder / "cam2.txt"]
    for first in sorted((folder / "cam1").glob("*.png")):
        second, frame = folder / "cam2" / first.name, first.stem
        masks = {
            part: tuple(_mask(folder / "masks" / f"cam{n}_{frame}_{part}.png") for n in (1, 2))
            for part in ("femoral", "tibial")
        }
        yield _pair(f"knee implant {frame}", "knee implant", (first, second), cameras, settings, masks)


def wrist_pairs(folder: Path, settings: XrayInputSettings) -> Iterator[RealPair]:
    """The frames of a wrist."""
    cameras = [folder / f"xr_calib_wrist_cam0{n}.txt" for n in (1, 2)]
    for first in sorted(folder.glob("xr_rad_uln_cam01_UND.*.tif")):
        second = folder / first.name.replace("cam01", "cam02")
        yield _pair(f"wrist {first.suffixes[0]}", "wrist", (first, second), cameras, settings, {})


def bead_pairs(folder: Path, settings: XrayInputSettings) -> Iterator[RealPair]:
    """The frames of a knee with beads that both cameras have."""
    cameras = [folder / f"xr_calib_left_knee_cam0{n}.txt" for n in (1, 2)]
    for first in sorted(folder.glob("L_Hop_Cam1_001_UND.*.tif")):
        second = folder / first.name.replace("Cam1", "Cam2")
        if second.is_file():
            yield _pair(
                f"knee with beads {first.suffixes[0]}", "knee with beads", (first, second), cameras, settings, {}
            )


SETS = {
    "biplane_knee_implant": implant_pairs,
    "biplane_wrist": wrist_pairs,
    "biplane_knee_beads": bead_pairs,
}


def _pair(name, subject, files, cameras, settings, masks) -> RealPair:
    first, second = (prepare_xray(file, settings, reading=READING) for file in files)
    xrays = (first, second)
    views = []
    for xray, camera in zip(xrays, cameras, strict=True):
        found = read_calibration(camera)
        width, height = found["image size"][0].astype(int).tolist()
        if (height, width) != xray.size:
            raise SystemExit(f"{camera} is of {width} x {height} px, its X-ray of {xray.size[1]} x {xray.size[0]}")
        translation = found["translation"].reshape(3)
        views.append(pinhole_projection(found["camera matrix"], found["rotation"], translation, xray.size))
    return RealPair(name, subject, xrays, torch.stack(views), masks)


def _mask(path: Path) -> np.ndarray:
    """A mask, which may be grey where it came from JPEG."""
    return np.asarray(Image.open(path).convert("L")) > 127
