"""Which way a patient is looked at: a standard view, a random direction, or a pose from a named range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...geometry.camera import Camera
from ...geometry.frames import voxel_to_world
from ...geometry.projection import project
from ...views.planning import ViewPlan, applicable_views, standard_view
from ...views.pose_ranges import POSE_RANGES, sample_pose
from ...views.random_directions import orbit_view, random_view
from ...volumes.volume import Volume
from ..plan.config import DatasetConfig, ViewSettings
from .patients import PreparedPatient

_SDD, _FIELD = 1020.0, 278.6  # of pose ranges without a published camera: those of "deepfluoro" [mm]
_DRAWS = 50


@dataclass(frozen=True, eq=False)
class ChosenView:
    """A camera, its pose (1, 4, 4), and what is to be told of the view."""

    camera: Camera
    pose: Tensor
    record: Mapping[str, Any]


def standard_names(subject: PreparedPatient, views: ViewSettings) -> tuple[str, ...]:
    """The standard views that a patient can show, of those that are wanted.

    Views that were asked for by name may need a flexed limb; "all" leaves those out.

    Raises:
        InputError: There are none, and the configuration has images for them.
    """
    if views.random + views.orbit + sum(views.ranges.values()) >= 1:
        return ()
    fitting = applicable_views(subject.volume, landmarks=subject.scene.landmarks, pose_limited=views.standard != "all")
    names = tuple(name for name in fitting if views.standard == "all" or name in views.standard)
    if not names:
        wanted = "any" if views.standard == "all" else ", ".join(views.standard)
        raise InputError(f"the patient must show one of the standard views asked for ({wanted}), got none that fits.")
    return names


def choose_view(
    subject: PreparedPatient, names: tuple[str, ...], config: DatasetConfig, rng: np.random.Generator, number: int = 0
) -> ChosenView:
    """A view drawn in the configured shares.

    Args:
        subject: The patient.
        names: What `standard_names` found.
        config: Shares and image size.
        rng: Decides.
        number: Of the image among those of the patient, from 0; decides where standard views are taken in turn.

    Raises:
        InputError: The patient has no labels that a view could be found from.
    """
    views, part = config.views, float(rng.random())
    if part < views.random:
        return _planned("random", random_view(subject.volume, rng, size=config.image.size))
    part -= views.random
    for preset, share in views.ranges.items():
        if part < share:
            return _from_range(preset, subject, config.image.size, rng)
        part -= share
    if part < views.orbit:
        return _planned("orbit", orbit_view(subject.volume, rng, size=config.image.size))
    name = names[number % len(names) if views.in_turn else int(rng.integers(len(names)))]
    low, high = views.zoom
    zoom = low if low == high else float(rng.uniform(low, high))
    landmarks, size = subject.scene.landmarks, config.image.size
    plan = standard_view(subject.volume, name, size=size, rng=rng, landmarks=landmarks, zoom=zoom)
    return _planned("standard", plan)


def _planned(kind: Literal["standard", "random", "orbit"], plan: ViewPlan) -> ChosenView:
    return ChosenView(plan.camera, plan.pose, {"name": plan.name, "kind": kind, **plan.metadata})


def _from_range(preset: str, subject: PreparedPatient, size: tuple[int, int], rng: np.random.Generator) -> ChosenView:
    published, centre = POSE_RANGES[preset], subject.volume.center.double()
    sdd = published.sdd or _SDD
    field = _FIELD if published.delx is None else 128 * published.delx
    camera = Camera(sdd=sdd, height=size[0], width=size[1], pixel_spacing=field / max(size))
    # The presets suit trunks: a limb may lie outside the field, so draw until its inner half is met.
    inside = _inner_points(subject.volume)
    draws = (sample_pose(preset, centre, rng) for _ in range(_DRAWS))
    pose = next((pose for pose in draws if bool(project(inside, camera, pose).visible.any())), None)
    if pose is None:
        raise InputError(f"preset {preset!r} must see the patient, got {_DRAWS} views past it; leave it out.")
    record = {"name": preset, "kind": "range", "mirrored_display": False, "isocenter": centre.tolist(), "targets": []}
    return ChosenView(camera, pose, record)


def _inner_points(volume: Volume) -> Tensor:
    """The 3 x 3 x 3 points at the quarters of the grid, world RAS [mm], (27, 3)."""
    quarters = [torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64) * (n - 1) for n in reversed(volume.shape)]
    return voxel_to_world(torch.cartesian_prod(*quarters), volume.affine)
