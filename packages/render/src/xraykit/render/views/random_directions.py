"""Random fluoroscopic views: an organ in the middle, the source anywhere before the front or all around the body."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..errors import InputError
from ..volumes.volume import Volume
from .anatomy import anatomy_of
from .placement import GAP, camera_axes, place
from .planning import SHIFT_SPREAD, ViewPlan, describe

CAP = 60.0  # half angle of the cap [degrees]
ELEVATION = 25.0  # how far an orbit's source leaves the plane across the body [degrees]
SDD = (650.0, 1200.0)  # source to detector [mm]
FIELD = (200.0, 430.0)  # side of the square field [mm]
EXTRA_GAP = 150.0  # how much further behind the body a C-arm's detector may stand [mm]


def random_view(
    volume: Volume, rng: np.random.Generator, *, size: tuple[int, int] = (256, 256), focus: str | None = None
) -> ViewPlan:
    """Camera and pose of a random view of a labelled volume.

    The direction from target to source is uniform over the cap within 60 degrees of anterior, SDD uniform in 65 to
    120 cm, the side of the field in 20 to 43 cm, the target within 20 mm of the organ's centroid along each axis.

    Args:
        volume: With named labels.
        rng: Where the randomness comes from.
        size: Detector rows and columns [px].
        focus: Label or group to look at; None draws one of the volume's labels.

    Raises:
        InputError: The volume has no named labels, or none is called `focus`.
    """
    drawn = _focus(volume, rng, focus)
    forward = rng.uniform(math.cos(math.radians(CAP)), 1.0)
    around = rng.uniform(0.0, 2 * math.pi)
    across = math.sqrt(1 - forward * forward)
    a = math.degrees(math.atan2(across * math.cos(around), forward))
    b = -math.degrees(math.asin(across * math.sin(around)))
    return _towards(drawn, a, b, volume, rng, name="random", size=size)


def orbit_view(
    volume: Volume, rng: np.random.Generator, *, size: tuple[int, int] = (256, 256), focus: str | None = None
) -> ViewPlan:
    """Camera and pose of a view from anywhere around a labelled volume, such as pairs of views for matching need.

    The azimuth of the source about the long axis of the body (world S) is uniform over the whole circle, its elevation
    uniform within 25 degrees of the plane across; SDD, field and target are drawn as by `random_view`.

    Args:
        volume: With named labels.
        rng: Where the randomness comes from.
        size: Detector rows and columns [px].
        focus: Label or group to look at; None draws one of the volume's labels.

    Raises:
        InputError: The volume has no named labels, or none is called `focus`.
    """
    drawn = _focus(volume, rng, focus)
    a, b = float(rng.uniform(-180.0, 180.0)), float(rng.uniform(-ELEVATION, ELEVATION))
    return _towards(drawn, a, b, volume, rng, name="orbit", size=size)


def _focus(volume: Volume, rng: np.random.Generator, focus: str | None) -> str:
    """The label or group to look at."""
    body = anatomy_of(volume)
    if not body.names:
        raise InputError("a random view needs a label that fills at least 0.2 cm^3, got none; check the label map.")
    drawn = focus if focus is not None else str(rng.choice(sorted(body.names.values())))
    if not body.labels(drawn):
        raise InputError(f"focus must be a label or group that the volume shows, got {drawn!r}.")
    return drawn


def _towards(
    focus: str, a: float, b: float, volume: Volume, rng: np.random.Generator, *, name: str, size: tuple[int, int]
) -> ViewPlan:
    """A view of `focus` with the source at azimuth a and elevation b [degrees], all else drawn."""
    body = anatomy_of(volume)
    sdd, side, extra = float(rng.uniform(*SDD)), float(rng.uniform(*FIELD)), float(rng.uniform(0.0, EXTRA_GAP))
    target = body.cloud(focus).mean(dim=0) + torch.from_numpy(rng.uniform(-SHIFT_SPREAD, SHIFT_SPREAD, 3))
    axes = camera_axes(a, b)
    placed = place(target, axes, sdd=sdd, field=(side, side), size=size, body=body.body, gap=GAP + extra)
    targets = tuple(body.names[value] for value in body.labels(focus))
    metadata = {
        "view": name,
        "focus": focus,
        "frame": "patient",
        "a": a,
        "b": b,
        **describe(placed, target, field=(side, side)),
        "mirrored_display": False,
        "targets": list(targets),
    }
    return ViewPlan(name, placed.camera, placed.pose, False, targets, metadata)
