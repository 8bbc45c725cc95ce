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

from ..refine.pyramid import footprint, samples_through, shrunk_shot
from ..refine.resolution import at_resolution
from ..refine.scatter import with_scatter
from ..refine.similarity import GRADIENT_PATCH, gradient_ncc, standardised
from ..refine.structure import Structure
from ..refine.window import anatomy_window
from ..xray.shot import Shot
from .known_rays import known_share
from .local_shifts import local_shifts
from .target_points import depth_of, points_in_view, predicted_error, share_shown, target_points

if TYPE_CHECKING:
    from ..refine.registration import Registration

LONGER_SIDE = 128  # px: everything is measured at one scale, whatever the X-ray's own
SHOWN = 0.02  # of the largest line integral: pixels with less are not covered
LEAST_SHIFT, LEAST_GAIN = 0.02, 0.01  # of parts of the DRR: px, share of the similarity that they lack
ERRORS = (0.01, 1000.0)  # mm


def measure(
    registration: Registration, shots: Sequence[Shot], structures: Sequence[Structure], *, structure: int = 0
) -> dict[str, float]:
    r"""Features of one structure's pose, means over the views where each view has its own.

    - local_shift and local_gain: ln of how far parts of the DRR would have to move to fit better [px], and of what
      share of the similarity that it lacks the median part would gain by it; see local_shifts.py.
    - gradient_ncc: of the DRR at the pose found.
    - log_expected_error: ln of the target registration error [mm] that the covariance predicts.
    - coverage: share of the compared pixels that the structures cover.
    - shown: share of the structure's own points that compared pixels show.
    - known: share of what these pixels show that lies inside the CT, as far as its ends tell; see known_rays.py. The
      parts count by its square.
    - outside: share of the structure's points in view that lie behind the source or behind the detector.

    Args:
        registration: What `register` returned.
        shots: The X-rays it was given.
        structures: The structures it was given.
        structure: Which of them is measured: only pixels around it are compared.
    """
    found, points = [], target_points(structures[structure].volume)
    for v, shot in enumerate(shots):
        view = _view(shot, structures, registration, v, structure)
        fit = local_shifts(view.image, view.greys, view.valid, view.known)
        covered = (view.drr > SHOWN * view.drr.max()) & view.valid
        found.append(
            {
                "local_shift": math.log(LEAST_SHIFT + fit.shift),
                "local_gain": math.log(LEAST_GAIN + fit.gain),
                "gradient_ncc": view.gradient_ncc(),
                "coverage": float(covered.sum() / view.compared),
                "shown": share_shown(points, registration.cameras[v], registration.poses[structure, v], shot.valid),
                "known": _known_of(view, covered),
            }
        )
    features = {name: sum(one[name] for one in found) / len(found) for name in found[0]}
    seen = points_in_view(points, registration.cameras, registration.poses[structure])
    features["outside"] = _outside(registration, seen, structure)
    error = float(predicted_error(registration.covariance[structure], registration.pivot[structure], seen))
    return {**features, "log_expected_error": math.log(min(max(error, ERRORS[0]), ERRORS[1]))}


def _outside(registration: Registration, points: Tensor, structure: int) -> float:
    """The share of the points behind the source or the detector, of the view where it is largest."""
    shares = []
    for camera, pose in zip(registration.cameras, registration.poses[structure], strict=True):
        depth, sdd = depth_of(points, pose[None]), camera.sdd_mm
        shares.append(float(((depth <= 0) | (depth >= sdd)).float().mean()))
    return max(shares)


def expected_error(registration: Registration, body: Structure, structure: int) -> float:
    """The predicted error [mm] over the structure's points in view."""
    points = points_in_view(target_points(body.volume), registration.cameras, registration.poses[structure])
    return float(predicted_error(registration.covariance[structure], registration.pivot[structure], points))


def view_errors(registration: Registration, body: Structure, structure: int) -> list[float]:
    """The predicted error of each view [mm], over what it shows, where each has a pose of its own; else none."""
    if registration.view_covariance is None:
        return []
    points, pivot = target_points(body.volume), registration.pivot[structure]
    found = []
    for v, known in enumerate(registration.view_covariance[:, structure]):
        seen = points_in_view(points, registration.cameras[v : v + 1], registration.poses[structure, v : v + 1])
        found.append(float(predicted_error(known, pivot, seen)))
    return found


@dataclass(frozen=True, eq=False)
class _View:
    """The part of an X-ray that shows the structure, with the DRR of all structures there, at one scale.

    `drr` are line integrals, `greys` what an X-ray with the scatter found shows of them; `compared` counts the valid
    pixels of the whole X-ray; `known` is what share of each ray lies inside the CT.
    """

    image: Tensor
    valid: Tensor
    drr: Tensor
    greys: Tensor
    known: Tensor
    compared: int

    def gradient_ncc(self) -> float:
        """Of X-ray and DRR, in units of their own spread."""
        image, drr = (standardised(one, self.valid)[None, None] for one in (self.image, self.greys))
        side = min(GRADIENT_PATCH, *self.image.shape)
        return float(gradient_ncc(image, drr, side, self.valid))


def _known_of(view: _View, covered: Tensor) -> float:
    """What share of each ray is known, over the pixels that show something of the CT or of what lies beyond it."""
    shown = covered | (view.valid & (view.known < 0.5))
    return float(view.known[shown].mean()) if bool(shown.any()) else 1.0


def _view(shot: Shot, structures: Sequence[Structure], registration: Registration, view: int, structure: int) -> _View:
    shot = replace(shot, camera=registration.cameras[view])
    image, valid, camera = shrunk_shot(shot, LONGER_SIDE)
    compared = max(1, int(valid.sum()))
    poses, pivot = registration.poses[:, view].double(), registration.pivot[structure]
    volumes = [body.with_voxels(footprint(camera, poses[structure], pivot)) for body in structures]
    own = poses[structure, None]
    matched = at_resolution(image, valid, volumes[structure], camera, own, pivot, camera.width / shot.camera.width)
    window = anatomy_window([structures[structure].volume], camera, own[None])
    if bool(window.of(matched[1]).any()):
        image, valid, camera = window.of(image), window.of(valid), window.camera(camera)
        matched = window.of(matched[0]), window.of(matched[1])
    drr = _drr(volumes, camera, poses)
    greys, _, _ = with_scatter(drr[None, None], -registration.scatter[view : view + 1].log())
    known = known_share(structures[-1], camera, poses[-1], drr)
    views = [_View(*seen, drr, greys[0, 0], known, compared) for seen in ((image, valid), matched)]
    return max(views, key=lambda one: one.gradient_ncc())


def _drr(volumes: Sequence[Volume], camera: Camera, poses: Tensor) -> Tensor:
    """The sum of the volumes at poses (K, 4, 4), (H, W)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no ray meets")  # a lost structure is what this is to find out
        drrs = [
            render(volume, camera, pose[None], samples=samples_through(volume))[0, 0]
            for volume, pose in zip(volumes, poses, strict=True)
        ]
    return torch.stack(drrs).sum(dim=0)
