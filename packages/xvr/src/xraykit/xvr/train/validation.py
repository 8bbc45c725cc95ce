"""Held-out poses: how far a network is from them while it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.geometry import geodesic_distance, rigid_inverse, transform_points

from ..evaluate.metrics import mtre_c2w, true_tre
from ..network.frame import NetworkFrame
from ..network.preprocess import network_input

QUANTILES = {"q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
CHUNK = 64


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Views that no training batch shows.

    Args:
        images: (V, 1, N, N) line integrals.
        poses: camera_to_world (V, 4, 4) float64.
        points: Landmarks (N, 3), or (V, N, 3) where patients differ [mm].
        center: What poses count from in the paper's mTRE [mm], (3,).
        camera: Of the images.
    """

    images: Tensor
    poses: Tensor
    points: Tensor
    center: Tensor
    camera: Camera


def inputs(held_out: HeldOut, frame: NetworkFrame) -> Tensor:
    """What the network is shown."""
    return torch.cat([network_input(part, frame) for part in held_out.images.split(CHUNK)])


def errors(held_out: HeldOut, predict: Callable[[Tensor], Tensor], shown: Tensor) -> dict[str, float]:
    """Quantiles of the errors on held-out views.

    Args:
        held_out: The views.
        predict: camera_to_world (B, 4, 4) of network inputs (B, 1, H, W).
        shown: `inputs` of the views.

    Returns:
        mtre_c2w_mm (the paper's definition), tre_mm (the true one), rotation_deg, depth_mm (along the beam) and
        across_mm (across it) of the landmarks' middle, each as _q25, _median, _q75 and _q95.
    """
    with torch.no_grad():
        found = torch.cat([predict(part) for part in shown.split(CHUNK)]).double().cpu()
    truth, points = held_out.poses, held_out.points
    if points.ndim == 2:
        c2w, tre = (
            mtre_c2w(found, truth, fiducials=points, center=held_out.center),
            true_tre(found, truth, fiducials=points),
        )
    else:
        one = [(found[n : n + 1], truth[n : n + 1], points[n]) for n in range(len(found))]
        c2w = torch.cat([mtre_c2w(a, b, fiducials=p, center=held_out.center) for a, b, p in one])
        tre = torch.cat([true_tre(a, b, fiducials=p) for a, b, p in one])
    angle, _ = geodesic_distance(found, truth)
    middle = points.mean(dim=-2, keepdim=True)
    moved = (transform_points(rigid_inverse(found), middle) - transform_points(rigid_inverse(truth), middle))[:, 0]
    named = {
        "mtre_c2w_mm": c2w,
        "tre_mm": tre,
        "rotation_deg": angle,
        "depth_mm": moved[:, 2].abs(),
        "across_mm": moved[:, :2].norm(dim=1),
    }
    return {f"{name}_{q}": float(torch.quantile(v, at)) for name, v in named.items() for q, at in QUANTILES.items()}
