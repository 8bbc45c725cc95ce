"""A tiny data set job of pelves, knees and chests without rendering: each thing has a grey value of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.dataset_shards import sample_members, tar_bytes, write_manifest
from xraykit.fluorosam.network import NAMED, FluoroSamConfig
from xraykit.fluorosam.prompts import TextPrompt, write_texts
from xraykit.fluorosam.vocabulary import all_targets

SIZE = 64
CONFIG: FluoroSamConfig = replace(NAMED["mini"], image_size=64, grid=8)
"""Image and masks of 64 px"""
LINES = {"femur_right": 3.0, "femur_left": 6.0, "liver": 4.0, "tibia_left": 5.0, "k_wire_1": 9.0}
"""-ln of the intensity behind each thing; 1 beside them. The patient's right is on the left."""


def box_mask(
    top: int, left: int, bottom: int, right: int, *, size: tuple[int, int] = (SIZE, SIZE)
) -> NDArray[np.bool_]:
    """True in a box."""
    mask = np.zeros(size, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


PELVIS = {"femur_right": box_mask(30, 6, 60, 20), "femur_left": box_mask(24, 44, 56, 58)}
KNEE = {"femur_left": box_mask(4, 24, 30, 40), "tibia_left": box_mask(34, 24, 60, 38)}
CHEST = {"liver": box_mask(40, 8, 60, 34), "femur_left": box_mask(61, 50, 64, 60)}
WIRE = {"k_wire_1": box_mask(10, 10, 14, 50)}


def image_of(masks: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Intensities: each thing blocks as `LINES` says, the last where they overlap."""
    lines = np.ones(next(iter(masks.values())).shape)
    for name, mask in masks.items():
        lines[mask] = LINES.get(name, 2.0)
    return np.exp(-lines)


def write_sample(
    patient: int,
    view: int,
    masks: Mapping[str, NDArray[Any]],
    *,
    split: str = "train",
    name: str = "pelvis_ap",
    tools: Mapping[str, NDArray[Any]] | None = None,
    edit: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """The members of one image of any sides; `edit` replaces parts of the record."""
    tools = tools or {}
    height, width = next(iter(masks.values())).shape
    camera = {
        "sdd": 1000.0, "height": height, "width": width, "pixel_spacing": [2.0, 2.0],
        "principal_point": [width / 2, height / 2], "camera_to_world": np.eye(4).tolist(), "world": "RAS",
    }  # fmt: skip
    record = {"view": {"name": name, "mirrored_display": False}, "camera": camera, **(edit or {})}
    intensity = image_of({**masks, **tools})
    return sample_members(patient, view, split, masks=masks, tools=tools, intensity=intensity, edit=record)


def write_samples(folder: Path, samples: Sequence[dict[str, bytes]], *, labels: str = "all") -> Path:
    """A finished job of such images, in one shard of the split train."""
    folder.mkdir(parents=True, exist_ok=True)
    content = tar_bytes([item for members in samples for item in members.items()])
    (folder / "train-000000.tar").write_bytes(content)
    write_manifest(folder, {"train-000000.tar": (content, len(samples), list(range(len(samples))))})
    (folder / "config.yaml").write_text(f"labels: {labels}\n", encoding="utf-8")
    return folder


def write_segmentation_job(folder: Path, *, labels: str = "all") -> Path:
    """Three pelves, one with a wire, three left knees and two chests."""
    pelves = [write_sample(n, 0, PELVIS, tools=WIRE if n == 0 else None) for n in range(3)]
    knees = [write_sample(3 + n, 0, KNEE, name="knee_ap_left") for n in range(3)]
    chests = [write_sample(6 + n, 0, CHEST, name="chest_pa") for n in range(2)]
    return write_samples(folder, [*pelves, *knees, *chests], labels=labels)


def texts_for_all(*views: str) -> Mapping[str, Sequence[TextPrompt]]:
    """Some texts for every target, of both wordings, and for the views."""
    return {
        target: [
            *write_texts(target, 3),
            *write_texts(target, 2, split="held_out"),
            *(text for view in views for text in write_texts(target, 12, view=view) if text.view),
        ]
        for target in all_targets()
    }
