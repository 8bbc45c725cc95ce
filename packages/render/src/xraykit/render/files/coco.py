"""Masks of simulated X-rays as COCO: run lengths, boxes and areas, with the camera that saw them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..extras import require
from ..geometry.camera import Camera
from ..radiographs.save import geometry_record
from ..rendering.masks import MaskEntry, MaskSet
from ..storage.atomic_write import write_atomically

FIRST_TOOL, FIRST_OTHER = 100_001, 200_001


def run_lengths(mask: Tensor) -> dict[str, Any]:
    """One mask (H, W) as COCO's compressed run lengths, {"size": [H, W], "counts": text}.

    Raises:
        BackendUnavailableError: pycocotools is not installed.
        InputError: The mask is not (H, W) bool.
    """
    if mask.ndim != 2 or mask.dtype != torch.bool:
        raise InputError(f"a mask must be (H, W) bool, got {mask.dtype} of shape {tuple(mask.shape)}.")
    return _encoded(mask[None])[0]


def coco_record(
    masks: MaskSet, camera: Camera, pose: Tensor, *, file_names: Sequence[str], keep_empty: bool = False
) -> dict[str, Any]:
    """The masks of B views as one COCO table of images, categories and annotations.

    images[]: id, file_name, height, width, and `camera` as in pose.json (sdd, pixel_spacing, principal_point,
    camera_to_world). categories[]: id, name, supercategory ("organ" or "tool"); an organ's id is its label value, a
    tool's 100001 and up by order, an organ that a further volume adds 200001 and up; equal names share a category.
    annotations[]: id, image_id, category_id, bbox [x, y, width, height] px (pixel borders at integers), area [px],
    iscrowd 0, segmentation as run lengths with text counts. Masks overlap; a mask with several parts is one annotation.

    Args:
        masks: Masks of B views.
        camera: Intrinsics, shared by the views.
        pose: Camera to world, (B, 4, 4).
        file_names: Name of each view's image file.
        keep_empty: List masks without a pixel too (area 0).

    Raises:
        BackendUnavailableError: pycocotools is not installed.
        InputError: Numbers of views, poses and file names differ.
    """
    views = len(masks.bits)
    if len(file_names) != views or pose.ndim != 3 or len(pose) != views:
        raise InputError(
            f"masks of {views} views need as many poses and file names, got poses {tuple(pose.shape)} and "
            f"{len(file_names)} names."
        )
    category = _category_ids(masks.entries)
    stack, boxes = masks.stack().cpu(), masks.boxes().cpu()
    areas = stack.sum(dim=(-2, -1))
    images, annotations = [], []
    for b, file_name in enumerate(file_names):
        geometry = geometry_record(camera, pose[b])
        size = {"height": camera.height, "width": camera.width}
        images.append({"id": b + 1, "file_name": file_name, **size, "camera": geometry})
        kept = [m for m in range(len(masks.entries)) if keep_empty or areas[b, m] > 0]
        for m, segmentation in zip(kept, _encoded(stack[b, kept]), strict=True):
            x0, y0, x1, y1 = boxes[b, m].tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": b + 1,
                    "category_id": category[masks.entries[m].kind, masks.entries[m].name],
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": int(areas[b, m]),
                    "iscrowd": 0,
                    "segmentation": segmentation,
                }
            )
    named = [{"id": number, "name": name, "supercategory": kind} for (kind, name), number in category.items()]
    info = {"description": "simulated X-rays with amodal masks", "world": "RAS"}
    return {"info": info, "images": images, "categories": named, "annotations": annotations}


def write_coco(path: str | Path, record: dict[str, Any]) -> Path:
    """Write a table of `coco_record` as JSON, whole or not at all.

    Raises:
        OutputError: The file could not be written.
    """
    text = json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
    return write_atomically(path, lambda file: file.write(text.encode()))


def _category_ids(entries: Sequence[MaskEntry]) -> dict[tuple[str, str], int]:
    ids: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.kind, entry.name)
        if key in ids:
            continue
        number = entry.value if entry.kind == "organ" else FIRST_TOOL
        if number in ids.values():
            number = FIRST_TOOL if entry.kind == "tool" else FIRST_OTHER
        while number in ids.values():
            number += 1
        ids[key] = number
    return ids


def _encoded(masks: Tensor) -> list[dict[str, Any]]:
    """Run lengths of (N, H, W) masks."""
    coder = require("pycocotools.mask", extra="export", what="COCO")
    columns = np.asfortranarray(masks.permute(1, 2, 0).cpu().numpy().astype(np.uint8))
    return [{"size": list(map(int, run["size"])), "counts": run["counts"].decode()} for run in coder.encode(columns)]
