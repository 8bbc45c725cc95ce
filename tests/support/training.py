"""A patient so small that a training of him takes a second: an ellipsoid of water with bones in three corners."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import torch
from xraykit.render import Volume, write_volume
from xraykit.render.storage import leaves
from xraykit.xvr import TrainSettings

SPACING = 12.0
QUICK: dict[str, Any] = {
    "backbone": "test_resnet", "norm": "default", "size": 32, "batch": 4, "steps": 4, "warmup": 1, "workers": 0,
    "validation_views": 4, "validate_every": 100, "save_every": 100, "device": "cpu", "precision": "32-true",
    "augment": 0.0, "tx": (-40.0, 40.0), "tz": (-40.0, 40.0), "ty": (700.0, 800.0),
}  # fmt: skip


def small_patient(*, labels: bool = True) -> Volume:
    """24 x 18 x 21 voxels of 12 mm; the world's origin is not the centre."""
    shape = (21, 18, 24)
    z, y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    hu = torch.where(x**2 + y**2 + z**2 < 0.95, 40.0, -1000.0)
    seg = torch.zeros(shape, dtype=torch.uint8)
    seg[4:8, 7:11, 5:9], seg[12:17, 4:8, 12:20] = 5, 9
    hu[seg > 0] = 900.0
    affine = torch.diag(torch.tensor([-SPACING, SPACING, SPACING, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([150.0, -90.0, 220.0])
    return Volume.from_hu(hu, affine, labels=seg if labels else None)


def write_small_patient(folder: Path) -> tuple[Path, Path]:
    """The patient's CT and label map as files."""
    volume = small_patient()
    assert volume.hu is not None and volume.labels is not None
    ct = write_volume(folder / "ct.nii.gz", volume.hu, volume.affine)
    return ct, write_volume(folder / "labels.nii.gz", volume.labels, volume.affine)


def quick(output: Path, **changes: Any) -> TrainSettings:
    """Settings of a training of a few batches, by the names of their flags."""
    return train_settings(output=output, **(QUICK | changes))


def train_settings(**values: Any) -> TrainSettings:
    """Settings by the names of their flags, whatever group they are in."""
    known = leaves(TrainSettings)
    tables: dict[str, dict[str, Any]] = {field.name: {} for field in fields(TrainSettings)}
    for name, value in values.items():
        group, field = known[name].path
        tables[group][field] = value
    groups = get_type_hints(TrainSettings)
    return TrainSettings(**{group: groups[group](**table) for group, table in tables.items()})
