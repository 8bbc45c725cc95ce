"""What can be measured of a registration without knowing the truth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xraykit.render import Camera, Volume, render

from ..anatomy import Anatomy
from ..field_of_view import anatomy_window
from ..pyramid import footprint, samples_through, shrunk_shot
from ..shot import Shot
from ..similarity import GRADIENT_PATCH, PATCH, gradient_ncc, mncc
from .probes import probes
from .target_points import points_in_view, predicted_error, target_points

if TYPE_CHECKING:
    from ..registration import Registration

LONGER_SIDE = 128  # px: everything is measured at one scale, whatever the X-ray's own
SHOWN = 0.02  # of the largest line integral: pixels with less are not covered
LEAST_SCATTER = 0.01  # of the similarity among far probes
ERRORS = (0.01, 1000.0)  # mm


def measure(
    registration: Registration, shots: Sequence[Shot], structures: Sequence[Anatomy], *, structure: int = 0
) -> dict[str, float]:
    r"""Features of one structure's pose, means over the views where each view has its own.

    - sharpness: the least that the similarity S (mean of mNCC and gradient NCC) falls when the structure is turned by
      5 degrees about any axis or shifted by 8 mm in the image or 32 mm in depth; negative if it is no maximum.
    - prominence: ln z, z = (G - mean G_far) / std G_far, how far the gradient NCC G stands out from that of random
      poses tens of degrees and millimetres away.
    - log_expected_error: ln of the target registration error [mm] that the covariance predicts.
    - gradient_ncc: G itself.
    - coverage: share of the compared pixels that the structures cover.

    Args:
        registration: What `register` returned.
        shots: The X-rays it was given.
        structures: The structures it was given.
        structure: Which of them is probed; the others stay where they are. Only pixels around it are compared.
    """
    near, far = probes(registration.poses.double(), registration.pivot.double(), structure)
    found = []
    for v, shot in enumerate(shots):
        view = _view(shot, structures, registration, v, structure)
        drrs = view.drr(torch.cat([registration.poses[None, :, v].double(), near[:, :, v], far[:, :, v]]))
        similarity, edges = view.compare(drrs)
        close, distant = slice(1, 1 + len(near)), slice(1 + len(near), None)
        z = (edges[0] - edges[distant].mean()) / edges[distant].std().clamp_min(LEAST_SCATTER)
        covered = (drrs[0, 0] > SHOWN * drrs[0].max()) & view.valid
        found.append(
            {
                "sharpness": float((similarity[0] - similarity[close]).min()),
                "prominence": math.log(max(float(z), math.exp(-1))),
                "gradient_ncc": float(edges[0]),
                "coverage": float(covered.sum() / view.compared),
            }
        )
    features = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
    error = expected_error(registration, structures[structure], structure)
    return {**features, "log_expected_error": math.log(min(max(error, ERRORS[0]), ERRORS[1]))}


def expected_error(registration: Registration, body: Anatomy, structure: int) -> float:
    """The predicted error [mm] over the structure's points in view."""
    points = points_in_view(target_points(body.volume), registration.cameras, registration.poses[structure])
    return float(predicted_error(registration.covariance[structure], registration.pivot[structure], points))


@dataclass(frozen=True, eq=False)
class _View:
    """The part of an X-ray that shows the structure, and all volumes, at the scale of the measurement.

    `compared` counts the valid pixels of the whole X-ray.
    """

    image: Tensor
    valid: Tensor
    compared: int
    camera: Camera
    volumes: tuple[Volume, ...]

    def drr(self, poses: Tensor) -> Tensor:
        """The sum of the structures at poses (P, K, 4, 4), (P, 1, H, W)."""
        samples = max(samples_through(volume) for volume in self.volumes)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="no ray meets")  # probes may lose sight of a small structure
            drrs = [render(v, self.camera, poses[:, k], samples=samples) for k, v in enumerate(self.volumes)]
        return torch.stack(drrs).sum(dim=0)

    def compare(self, drrs: Tensor) -> tuple[Tensor, Tensor]:
        """S and G of DRRs (P, 1, H, W) with the X-ray, (P,) each."""
        image, drrs = (_standardised(images, self.valid) for images in (self.image[None, None], drrs))
        side = min(self.image.shape)
        edges = gradient_ncc(image, drrs, min(GRADIENT_PATCH, side), self.valid)
        return (mncc(image, drrs, min(PATCH, side), self.valid) + edges) / 2, edges


def _view(shot: Shot, structures: Sequence[Anatomy], registration: Registration, view: int, structure: int) -> _View:
    shot = replace(shot, camera=registration.cameras[view])
    image, valid, camera = shrunk_shot(shot, LONGER_SIDE)
    compared = max(1, int(valid.sum()))
    pose = registration.poses[structure, view].double()
    window = anatomy_window([structures[structure].volume], camera, pose[None, None])
    if bool(window.of(valid).any()):
        image, valid, camera = window.of(image), window.of(valid), window.camera(camera)
    voxel = footprint(camera, pose, registration.pivot[structure])
    return _View(image, valid, compared, camera, tuple(body.with_voxels(voxel) for body in structures))


def _standardised(images: Tensor, valid: Tensor) -> Tensor:
    inside = images[..., valid]
    return (images - inside.mean(-1)[..., None, None]) / inside.std(-1).clamp_min(1e-9)[..., None, None]
