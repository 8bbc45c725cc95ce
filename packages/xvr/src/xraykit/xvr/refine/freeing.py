"""What was taken as exact set free: each view of a joint answer by itself, and the distance from source to detector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import full_precision, rigid_inverse, rigid_matrix, se3_log

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .covariance import balanced_inverse
from .registration import Registration, register_structures
from .structure import Structure

ITERATIONS = 10  # at most, at one scale: an answer is close
ALONG = 30  # at most, to an SDD that is farther off than
OFFSETS = (-0.04, -0.02, 0.0, 0.02, 0.04)  # of the SDD
AT_EACH = 4  # at most
ENOUGH = 256  # px: finer images tell the SDD no better
EDGES = (0.0, 0.0, 1.0)  # the gradient NCC alone


def freed_views(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> tuple[Registration, ...]:
    """Each of V views registered alone at the last scale, from where a joint answer has it.

    Args:
        found: The joint answer for K structures.
        shots: The V X-rays.
        structures: All that was rendered.
        settings: As they were for the joint answer.

    Returns:
        V registrations of one view.
    """
    last = replace(settings.part(slice(-1, None)), iterations=ITERATIONS, intrinsics=())
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]
    return tuple(
        register_structures(shot, structures, found.poses[None, :, v : v + 1], last, scatter=found.scatter[v : v + 1])
        for v, shot in enumerate(seen)
    )


def freed_sdd(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Registration:
    r"""The answer with the distance from source to detector that fits best, the same for all views.

    SDD and distance of the patient lie in a valley so flat that the grain of voxels and pixels makes it rough, and
    steps end in its next dip. So the valley is looked over: with the SDD wrong by each of `OFFSETS` the poses are
    refined anew, and a parabola through the similarities has its top at the SDD that fits best. Its variance [mm^2] is
    that of the sandwich estimator at the top (covariance.py) and that of the top of a parabola through points that
    scatter about it as these do. A top beyond the offsets is climbed to from the nearest of them.

    At the first scale of at least 256 pixels, or the last one: finer ones tell it no better, and cost four times more.
    By edges alone: what lies outside a CT that ends within the patient changes greys, and with them the distance that
    fits best, by several standard deviations; edges it leaves where they are.
    """
    at = next((n for n, scale in enumerate(settings.scales) if scale >= ENOUGH), len(settings.scales) - 1)
    one = replace(settings.part(slice(at, at + 1)), iterations=AT_EACH, intrinsics=(), weights=EDGES)
    stated = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]

    def seen_with(offset: float) -> list[Shot]:
        return [replace(s, camera=replace(s.camera, sdd=s.camera.sdd_mm * (1 + offset))) for s in stated]

    tried = [
        register_structures(seen_with(o), structures, _farther(found, o)[None], one, scatter=found.scatter)
        for o in OFFSETS
    ]
    top, variance = _top_of_parabola(OFFSETS, [each.similarity for each in tried])
    nearest = -1 if top > OFFSETS[-1] else 0  # of the ends
    beyond = not OFFSETS[0] <= top <= OFFSETS[-1]
    seen = seen_with(OFFSETS[nearest] if beyond else top)
    begin = (
        tried[nearest]
        if beyond
        else register_structures(seen, structures, _farther(found, top)[None], one, scatter=found.scatter)
    )
    free = replace(one, iterations=ALONG if beyond else 0, intrinsics=("sdd",))
    ended = register_structures(seen, structures, begin.poses[None], free, scatter=begin.scatter)
    return replace(ended, lens_covariance=ended.lens_covariance + variance * found.cameras[0].sdd_mm ** 2)


def _farther(found: Registration, offset: float) -> Tensor:
    """The poses (K, V, 4, 4) where an SDD longer by that share of it shows the structures as large as they are.

    Several views stay where they are, for their places relative to each other hold.
    """
    poses = found.poses.clone()
    if poses.shape[1] > 1:
        return poses
    beam = poses[..., :3, 2]
    depth = ((found.pivot[:, None] - poses[..., :3, 3]) * beam).sum(-1, keepdim=True)
    poses[..., :3, 3] -= offset * depth * beam
    return poses


def _top_of_parabola(places: Sequence[float], heights: Sequence[float]) -> tuple[float, float]:
    """Where a parabola through the points is highest, and the variance of that; no top is one at infinity, known."""
    x, y = (torch.tensor(values, dtype=torch.float64) for values in (places, heights))
    powers = x[:, None] ** torch.arange(3)
    inverse = torch.linalg.inv(powers.T @ powers)
    level, slope, bend = (inverse @ powers.T @ y).tolist()
    if bend >= 0:
        return math.copysign(math.inf, slope), 0.0
    residuals = y - powers @ torch.tensor([level, slope, bend], dtype=torch.float64)
    by = torch.tensor([0.0, -1 / (2 * bend), slope / (2 * bend**2)], dtype=torch.float64)
    scatter = float(residuals.square().sum()) / (len(x) - 3)
    top = -slope / (2 * bend)
    return top, scatter * float(by @ inverse @ by) if places[0] <= top <= places[-1] else 0.0


@full_precision
def twist_between(first: Tensor, second: Tensor, pivot: Tensor) -> Float[Tensor, "*poses 6"]:
    """The left twist (w [rad], v [mm]) about a pivot (..., 3) that takes poses (..., 4, 4) to others.

    second = T(p) exp(x) T(-p) first
    """
    identity = torch.eye(3, dtype=torch.float64)
    to, back = (rigid_matrix(identity.expand(*pivot.shape[:-1], 3, 3), sign * pivot.double()) for sign in (1, -1))
    shift, turn = se3_log(back @ second.double() @ rigid_inverse(first.double()) @ to).split(3, dim=-1)
    return torch.cat([turn, shift], dim=-1)


def deviation(twist: Tensor, covariance: Tensor) -> float:
    """How many standard deviations a twist (6,) of covariance (6, 6) is from none, per degree of freedom.

    sqrt(x' C^-1 x / 6), with C inverted where it is determined.
    """
    if not bool(torch.isfinite(covariance).all()):
        return 0.0
    x = twist.double()
    return math.sqrt(max(float(x @ balanced_inverse(covariance) @ x), 0.0) / len(x))
