"""Masks of X-rays that people look at, as one COCO table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xraykit.render.dataset import encode_run_lengths

from .named_mask import NamedMask, check_masks

OTHER = "region"
"""Supercategory of what the vocabulary does not know."""


@dataclass(frozen=True, eq=False)
class AnnotatedXray:
    """An X-ray with its masks.

    Args:
        file_name: Of the X-ray.
        size: (H, W) [px].
        masks: Of that size.
        frame: Which frame of a file with several.
    """

    file_name: str
    size: tuple[int, int]
    masks: Sequence[NamedMask]
    frame: int | None = None


def annotations_record(xrays: Sequence[AnnotatedXray]) -> dict[str, Any]:
    """A COCO table of images, categories and annotations, for `write_coco`.

    A category is what the mask is of in the vocabulary, else its name; its supercategory is "structure", "group",
    "tool", or "region" for what the vocabulary does not know. annotations[]: bbox [x, y, width, height] px (pixel
    borders at whole numbers), area [px], iscrowd 0, segmentation as run lengths, name, and score, the confidence, where
    there is one. Masks may overlap; empty ones are left out.

    Raises:
        InputError: A mask of another size than its X-ray.
    """
    images: list[dict[str, Any]] = []
    categories: dict[str, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    for number, xray in enumerate(xrays, start=1):
        check_masks(xray.masks, xray.size)
        image = {"id": number, "file_name": xray.file_name, "height": xray.size[0], "width": xray.size[1]}
        images.append(image if xray.frame is None else {**image, "frame": xray.frame})
        for one in xray.masks:
            if not one.area:
                continue
            category = categories.setdefault(one.target or one.name, _category(one, len(categories) + 1))
            annotation = {
                "id": len(annotations) + 1,
                "image_id": number,
                "category_id": category["id"],
                "bbox": list(one.box),
                "area": one.area,
                "iscrowd": 0,
                "segmentation": encode_run_lengths(one.mask),
                "name": one.name,
            }
            score = {} if one.confidence is None else {"score": round(one.confidence, 4)}
            annotations.append(annotation | score)
    info = {"description": "masks of X-rays, made with xraykit fluorosam"}
    return {"info": info, "images": images, "categories": list(categories.values()), "annotations": annotations}


def _category(one: NamedMask, number: int) -> dict[str, Any]:
    return {"id": number, "name": one.target or one.name, "supercategory": one.kind or OTHER}
