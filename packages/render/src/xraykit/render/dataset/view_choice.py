"""Which way a patient is looked at: a standard view, a random direction, or a pose from a named range."""

from __future__ import annotations

from typing import Any

import numpy as np
from dataclasses import dataclass
from torch import Tensor

from ..camera import Camera
from ..carm import VIEWS, carm_pose
from .config import DatasetConfig
from .patients import Subject


@dataclass(frozen=True)
class ChosenView:
    name: str
    camera: Camera
    pose: Tensor
    record: dict[str, Any]


def choose_view(subject: Subject, config: DatasetConfig, rng: np.random.Generator) -> ChosenView:
    height, width = config.size
    name = sorted(VIEWS)[int(rng.integers(len(VIEWS)))]
    sid, field = 1000.0, 400.0
    camera = Camera(sdd=sid, height=height, width=width, pixel_spacing=field / width)
    offset = rng.uniform(-20, 20, 3)
    angle = VIEWS[name].lao_rao + float(rng.uniform(-5, 5))
    pose = carm_pose(lao_rao=angle, sod=0.8 * sid, isocenter=subject.volume.center.double(), offset=offset.tolist())
    record = {"name": name, "kind": "standard", "mirrored_display": VIEWS[name].mirrored_display}
    return ChosenView(name, camera, pose.double(), record)
