"""A tiny data set job of views around patients whose tissue is known, written without rendering."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.dataset_shards import sample_members, tar_bytes, write_manifest

SIZE, SPACING, SDD, SOD = 24, 20.0, 1000.0, 800.0  # pixels, mm: 480 mm at the detector


def ball(cells: int = 7, radius: float = 3.2, *, centre: Sequence[float] | None = None) -> NDArray[np.uint8]:
    """Tissue in a ball with a core of bone, (K, J, I) in cells of 50 mm about the world's origin."""
    at = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1)
    distance = np.linalg.norm(at - (np.array(centre) if centre is not None else (cells - 1) / 2), axis=-1)
    return (distance < radius).astype(np.uint8) + (distance < radius / 2).astype(np.uint8)


def pose_from(azimuth: float, elevation: float = 0.0, *, distance: float = SOD) -> NDArray[np.float64]:
    """Camera to world of a source that looks at the origin; azimuth 0 is in front (+y) [degrees]."""
    a, e = math.radians(azimuth), math.radians(elevation)
    source = distance * np.array([math.sin(a) * math.cos(e), math.cos(a) * math.cos(e), math.sin(e)])
    z = -source / np.linalg.norm(source)
    y = -(np.array([0, 0, 1.0]) - z[2] * z)
    y /= np.linalg.norm(y)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(y, z), y, z], axis=1)
    pose[:3, 3] = source
    return pose


def camera(pose: NDArray[Any], *, height: int = SIZE, width: int = SIZE) -> dict[str, Any]:
    """The camera of a record."""
    return {
        "sdd": SDD, "height": height, "width": width, "pixel_spacing": [SPACING, SPACING],
        "principal_point": [width / 2, height / 2], "camera_to_world": pose.tolist(), "world": "RAS",
    }  # fmt: skip


def write_views(
    folder: Path,
    splits: Mapping[str, int],
    *,
    azimuths: Sequence[float] = (0.0, 60.0, 120.0, 200.0),
    tissue: NDArray[np.uint8] | Callable[[int], NDArray[np.uint8]] | None = None,
    with_tissue: bool = True,
    distance: float = SOD,
) -> Path:
    """A data set of {split: patients}, each seen from all azimuths; patient n is turned by 5 n degrees."""
    folder.mkdir(parents=True, exist_ok=True)
    shards, patient = {}, 0
    for split, count in splits.items():
        members: list[tuple[str, bytes]] = []
        for number in range(patient, patient + count):
            classes = tissue(number) if callable(tissue) else ball() if tissue is None else tissue
            for view, azimuth in enumerate(azimuths):
                pose = pose_from(azimuth + 5 * number, 3.0 * view, distance=distance)
                made = sample_members(
                    number, view, split, size=SIZE, edit={"camera": camera(pose)},
                    tissue=classes if with_tissue else None,
                )  # fmt: skip
                members += made.items()
        name = f"{split}-000000.tar"
        shards[name] = (tar_bytes(members), count * len(azimuths), list(range(patient, patient + count)))
        (folder / name).write_bytes(shards[name][0])
        patient += count
    write_manifest(folder, shards)
    return folder
