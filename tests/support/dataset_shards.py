"""Tiny data sets of shards, written with the standard library alone, whole or damaged in one way."""

from __future__ import annotations

import hashlib
import io
import json
import math
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FLOOR, CEILING = 1e-6, 2.0
POSE = [[1.0, 0.0, 0.0, 5.0], [0.0, 0.0, 1.0, -800.0], [0.0, -1.0, 0.0, 7.0], [0.0, 0.0, 0.0, 1.0]]


def run_length_text(mask: NDArray[Any]) -> str:
    """COCO's compressed run lengths of a mask, one character at a time, as the format says."""
    flat = mask.T.ravel().astype(int)
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *changes, flat.size]).tolist()
    runs = [0, *runs] if flat[0] else runs
    text = ""
    for n, run in enumerate(runs):
        number, more = run - runs[n - 2] if n > 2 else run, True
        while more:
            group, number = number & 31, number >> 5
            more = number != (-1 if group & 16 else 0)
            text += chr(48 + group + 32 * more)
    return text


def disc(size: int, x: float, y: float, radius: float) -> NDArray[Any]:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def sample_members(
    patient: int,
    view: int,
    split: str,
    *,
    size: int = 16,
    region: str = "knee",
    intensity: NDArray[Any] | None = None,
    masks: Mapping[str, NDArray[Any]] | None = None,
    tools: Mapping[str, NDArray[Any]] | None = None,
    lines: bool = False,
    tissue: NDArray[Any] | None = None,
    edit: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """The members of one sample; the image is a disc of a thickness that its numbers decide.

    `tissue` holds classes (K, J, I), in cells of 50 mm about the world's origin.
    """
    key = f"{patient:06d}_{view:04d}"
    rng = np.random.default_rng([patient, view])
    middle, radius = rng.uniform(0.35, 0.65, 2) * size, rng.uniform(0.2, 0.3) * size
    masks = {"femur_left": disc(size, *middle, radius)} if masks is None else masks
    tools = tools or {}
    if intensity is None:
        intensity = np.exp(-4.0 * disc(size, *middle, radius) - rng.uniform(0.1, 0.3, (size, size)))
    share = np.log(np.maximum(intensity, FLOOR) / FLOOR) / math.log(CEILING / FLOOR)
    codes = np.rint(65_535 * np.minimum(share, 1)).astype("<u2")
    picture = io.BytesIO()
    Image.fromarray(codes).save(picture, "TIFF")
    kinds = [("organ", *item) for item in masks.items()] + [("tool", *item) for item in tools.items()]
    record = {
        "key": key, "split": split, "patient": patient,
        "view": {"name": f"{region}_ap", "mirrored_display": False},
        "camera": {"sdd": 1000.0, "height": size, "width": size, "pixel_spacing": [2.0, 2.0],
                   "principal_point": [size / 2, size / 2], "camera_to_world": POSE, "world": "RAS"},
        "image": {"polarity": "intensity", "bits": 16, "scale": {"law": "log", "floor": FLOOR, "ceiling": CEILING}},
        "labels": list(masks),
        "annotations": [{"name": name, "kind": kind, **box(mask)} for kind, name, mask in kinds],
        "landmarks": {"centre": {"world": [1.0, 2.0, 3.0], "uv": [4.5, 5.5], "visible": True}},
        "description": {"region": region}, "tools": [{"name": name} for name in tools],
        "physics": {}, "seed": 1, "versions": {},
    }  # fmt: skip
    runs = [{"name": name, "size": list(mask.shape), "counts": run_length_text(mask)} for _, name, mask in kinds]
    packed = b""
    if tissue is not None:
        packed, record["tissue"] = packed_tissue(tissue)
    members = {"image.tiff": picture.getvalue(), "json": json.dumps(record | dict(edit or {})).encode()}
    if lines:
        file = io.BytesIO()
        np.save(file, np.full((size, size), patient + view / 16, dtype=np.float16))
        members["lines.npy"] = file.getvalue()
    members["masks.json"] = json.dumps(runs).encode()
    if tissue is not None:
        members["tissue.bin"] = packed
    return {f"{key}.{name}": content for name, content in members.items()}


def packed_tissue(classes: NDArray[Any]) -> tuple[bytes, dict[str, Any]]:
    """Four cells a byte, one after another, and where they lie."""
    flat = [*classes.ravel().tolist(), 0, 0, 0]
    packed = bytes(
        sum(flat[at + place] << 2 * place for place in range(4)) for at in range(0, classes.size, 4)
    )  # fmt: skip
    first = [-25.0 * (n - 1) for n in classes.shape[::-1]]
    affine = [[50.0 * (row == column) for column in range(3)] + [first[row]] for row in range(3)] + [[0.0, 0, 0, 1]]
    return zlib.compress(packed), {"shape": list(classes.shape), "affine": affine}


def box(mask: NDArray[Any]) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return {"bbox": [0, 0, 0, 0], "area": 0}
    x, y = int(columns.min()), int(rows.min())
    return {"bbox": [x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y], "area": len(rows)}


def tar_bytes(members: Iterable[tuple[str, bytes] | tarfile.TarInfo]) -> bytes:
    """A ustar archive; a TarInfo stands for a member that is no plain file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            header = tarfile.TarInfo(member[0])
            header.size = len(member[1])
            archive.addfile(header, io.BytesIO(member[1]))
    return file.getvalue()


def write_manifest(folder: Path, shards: Mapping[str, tuple[bytes, int, list[int]]], /, **changes: Any) -> None:
    """manifest.json of {name: (content, samples, patients)}."""
    entries = [
        {"name": name, "split": name.rpartition("-")[0], "sha256": hashlib.sha256(content).hexdigest(),
         "bytes": len(content), "samples": samples, "patients": patients, "skipped": []}
        for name, (content, samples, patients) in shards.items()
    ]  # fmt: skip
    content = {"format": "xraykit-dataset/1", "config_sha256": "0" * 64, "versions": {}, "complete": True}
    text = json.dumps(content | {"shards": entries} | changes)
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def write_dataset(
    folder: Path, sizes: Mapping[str, list[int]], *, views: int = 4, size: int = 16, **options: Any
) -> Path:
    """A data set with the shards {split: [samples of each]}; every `views` samples are of one patient."""
    folder.mkdir(parents=True, exist_ok=True)
    shards, patient = {}, 0
    for split, counts in sizes.items():
        for index, count in enumerate(counts):
            numbers = [(patient + n // views, n % views) for n in range(count)]
            members = [item for p, v in numbers for item in sample_members(p, v, split, size=size, **options).items()]
            patient += -(-count // views)
            name = f"{split}-{index:06d}.tar"
            shards[name] = (tar_bytes(members), count, sorted({p for p, _ in numbers}))
            (folder / name).write_bytes(shards[name][0])
    write_manifest(folder, shards)
    return folder
