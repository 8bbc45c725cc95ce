"""Tiny folders in FluoroSeg's layout, whole or damaged in one way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from support.dataset_shards import run_length_text

SIZE = (24, 32)


def runs(mask: NDArray[Any]) -> dict[str, Any]:
    return {"size": list(mask.shape), "counts": run_length_text(mask)}


def block(top: int, left: int, bottom: int, right: int, size: tuple[int, int] = SIZE) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def write_case(
    folder: Path,
    name: str = "case1",
    *,
    annotations: Sequence[Mapping[str, Any]] = (),
    categories: Mapping[int, str] | None = None,
    images: int = 1,
    size: tuple[int, int] = SIZE,
    **facts: Any,
) -> Path:
    """CASE.json, and images with the same annotations; `facts` go into each image's row."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(images):
        stem = f"{number:010d}"
        intensity = np.linspace(0.1, 1, size[0] * size[1], dtype=np.float32).reshape(size)
        Image.fromarray(intensity).save(folder / name / f"{stem}.tiff")
        (folder / name / f"{stem}.json").write_text(json.dumps(list(annotations)), encoding="utf-8")
        row = {"id": number, "file_name": f"{stem}.tiff", "height": size[0], "width": size[1]}
        rows.append(row | {"camera": {"focal_length": 1000.0, "pixel_size": 0.6}} | facts)
    content: dict[str, Any] = {"info": {}, "licenses": [], "volumes": [], "images": rows, "annotations": []}
    if categories is not None:
        content["categories"] = [{"id": number, "name": label} for number, label in categories.items()]
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
