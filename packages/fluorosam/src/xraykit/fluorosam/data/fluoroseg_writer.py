"""A data set job in FluoroSeg's published layout, for programs that read that."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from xraykit.render import InputError
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample
from xraykit.render.extras import require
from xraykit.render.storage import atomic_folder, check_unused, write_atomically

from ..vocabulary.fluoroseg_names import APPENDICULAR, TOOL_ID, fluoroseg_labels
from .fluoroseg_masks import fluoroseg_segmentation

TRAIN = "train"


@dataclass(frozen=True)
class FluoroSegExport:
    """What was written.

    Args:
        cases: Patients.
        images: Their X-rays.
        annotations: Their masks.
        left_out: How often a label came that FluoroSeg has no category for.
        damaged: (name, sentence) of each shard that is not whole.
    """

    cases: int
    images: int
    annotations: int
    left_out: Mapping[str, int]
    damaged: tuple[tuple[str, str], ...] = ()


@dataclass
class _Case:
    split: str
    images: list[dict[str, Any]] = field(default_factory=list)


def write_fluoroseg(
    job: str | Path, folder: str | Path, *, report: Callable[[int, int], None] = lambda done, total: None
) -> FluoroSegExport:
    """Write a data set job as FluoroSeg: patient-NNNNNN.json and a folder of float32 TIFFs and JSON for each patient.

    Images are intensities relative to the open beam, before any logarithm. Labels become FluoroSeg's categories with
    its old order of ribs; bones of the limbs lose their side, as there; every tool is "tool". `camera` has the source's
    distance to the detector as focal_length and the pixel size there [mm]. Patients of the split "train" go to
    train.txt, all others to val.txt.

    Args:
        job: The data set.
        folder: New or empty; it appears whole or not at all.
        report: Told of X-rays done and their number.

    Raises:
        FileError: No finished data set. OutputError: The folder is not empty or cannot be written.
        InputError: Pixels of a detector that are not square, which the layout cannot say.
        BackendUnavailableError: Pillow is not installed.
    """
    folder = Path(folder)
    check_unused(folder)
    data = XrayDataset(job, order=ReadingOrder(shuffle=False), rank=0, world_size=1, on_damage="skip")
    numbers = category_numbers()
    cases: dict[str, _Case] = {}
    left_out: Counter[str] = Counter()
    written = 0
    with atomic_folder(folder) as staging:
        for done, sample in enumerate(data, start=1):
            name = f"patient-{sample.patient:06d}"
            case = cases.setdefault(name, _Case(sample.split))
            written += _write_sample(staging / name, sample, case, numbers, left_out)
            report(done, len(data))
        for name, case in cases.items():
            _write_json(staging / f"{name}.json", _table(case, numbers))
        for split, chosen in (("train", True), ("val", False)):
            lines = [f"{name}.json\n" for name, case in cases.items() if (case.split == TRAIN) == chosen]
            write_atomically(staging / f"{split}.txt", lambda file, lines=lines: file.write("".join(lines).encode()))
    return FluoroSegExport(
        len(cases), sum(len(case.images) for case in cases.values()), written, dict(left_out), data.damaged
    )


def category_numbers() -> dict[str, int]:
    """FluoroSeg's category of each label: its own names, and the sides of limb bones that have none there."""
    numbers = {label: number for number, label in fluoroseg_labels().items()}
    for bone in APPENDICULAR:
        numbers |= {f"{bone}_{side}": numbers[bone] for side in ("left", "right")}
    return numbers


def _write_sample(
    folder: Path, sample: XraySample, case: _Case, numbers: Mapping[str, int], left_out: Counter[str]
) -> int:
    """Image and annotations of a sample; how many annotations."""
    row, column = (float(side) for side in sample.record["camera"]["pixel_spacing"])
    if abs(row - column) > 1e-6 * row:
        raise InputError(f"{sample.key} must have square pixels for FluoroSeg, got {row} x {column} mm.")
    folder.mkdir(exist_ok=True)
    stem, size = f"{len(case.images):010d}", tuple(sample.image.shape[1:])
    intensity = sample.intensity()[0].numpy().astype(np.float32)
    image, content = require("PIL.Image", extra="evaluate", distribution="xraykit-fluorosam"), io.BytesIO()
    image.fromarray(intensity).save(content, "TIFF")
    write_atomically(folder / f"{stem}.tiff", lambda file: file.write(content.getvalue()))
    annotations = []
    for n, (name, kind) in enumerate(zip(sample.names, sample.kinds, strict=True)):
        number = TOOL_ID if kind == "tool" else numbers.get(name)
        if number is None:
            left_out[name] += 1
        elif int(sample.areas[n]):
            x0, y0, x1, y1 = sample.boxes[n].tolist()
            runs = fluoroseg_segmentation(sample.masks[n])
            annotations.append({"category_id": number, "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": runs})
    _write_json(folder / f"{stem}.json", annotations)
    camera = {"focal_length": float(sample.record["camera"]["sdd"]), "pixel_size": row}
    case.images.append({
        "id": len(case.images), "file_name": f"{stem}.tiff", "height": size[0], "width": size[1], "camera": camera,
        "patient_id": str(sample.patient), "series_id": sample.key,
    })  # fmt: skip
    return len(annotations)


def _table(case: _Case, numbers: Mapping[str, int]) -> dict[str, Any]:
    labels = fluoroseg_labels()
    categories = [
        {"id": number, "name": labels[number], "supercategory": "tool" if number == TOOL_ID else "totalsegmentator"}
        for number in sorted(set(numbers.values()))
    ]
    info = {"description": "simulated X-rays with amodal masks"}
    return {
        "info": info, "licenses": [], "categories": categories, "volumes": [], "images": case.images, "annotations": [],
    }  # fmt: skip


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))
