"""The valley that the distance from source to detector and that of the patient lie in, looked over from one place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render.geometry import differentiating

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .competition import Contenders
from .covariance import balanced_inverse, score_spread
from .levenberg_marquardt import maximise
from .motion import PRIOR, Motion
from .objective import PRIOR_WEIGHT, Evaluation, Objective
from .objective_at import objectives_at
from .registration import Registration, expected_ceiling
from .structure import Structure

OFFSETS = (-0.02, 0.0, 0.02)  # of the SDD
BLOCKS = 6  # along an image: patients deform as smoothly as that
FLAT = 1e-9  # less bend is rounding
SETTLE = 5  # steps of an answer with another SDD


@dataclass(frozen=True, eq=False)
class Valley:
    """What was seen from one place of it.

    Args:
        top: By what share of it the SDD is wrong; infinite where the valley only rises, and 0 where it has no top.
        variance: Of that, infinite in both cases.
        motion: Where structures fit with the SDD wrong by each of `OFFSETS`, up to a step.
        step: That step of the twists, and the ceilings of scatter if they are free, (B, P - 1).
        change: How these change there with a share of the SDD, likewise.
    """

    top: float
    variance: float
    motion: Motion
    step: Tensor
    change: Tensor

    def answer(self, registration: Registration, offset: float) -> Registration:
        """The registration with poses and scatter that fit, about, with the SDD wrong by so much."""
        n = _nearest(offset)
        there = self.motion[n : n + 1].moved((self.step[n] + (offset - OFFSETS[n]) * self.change[n])[None])
        return replace(registration, poses=there.poses[0], scatter=torch.exp(-there.ceilings[0]))


@differentiating
def settled(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Registration:
    """The answer with poses and scatter refined by `SETTLE` steps at most, with its cameras and at the last scale."""
    begin = along_valley(found, (0.0,))
    objective = valley_objective(found, begin, shots, structures, settings).trusting(begin)
    ended, _, _ = maximise(objective, begin, iterations=SETTLE, settings=settings.levenberg_marquardt)
    return replace(found, poses=ended.poses[0], scatter=torch.exp(-ended.ceilings[0]))


@differentiating
def look_over(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Valley:
    r"""The top of the valley, and how well it is known.

    With the SDD wrong by x_i, poses and scatter are refined by one step. What is left to gain by them is taken from the
    curvature H of all unknowns, so that with g the change of all that goes with one of the SDD at their best

        S_i = S + s_q' H_qq^-1 s_q / 2,    dS_i/dx = g' s,    g = (1, -H_qq^-1 H_qx)

    are similarity and slope along the valley, s being the slope of all and q all but the SDD. A parabola
    S = a + b x - k x^2 / 2 through these (slopes count by half a step between offsets) has its top at b / k, and with
    the spread of the scores M = sum s_b s_b' nearest to it (covariance.py, squares of a sixth of the window) the
    variance g' M g / k^2 (ceilings of scatter left out of both, as there): the sandwich estimator with the curvature
    that the valley has. H, made for images that agree but for noise, exceeds that by up to ten times elsewhere.
    """
    sdd, twists = found.cameras[0].sdd_mm, 6 * len(structures)
    stated = along_valley(found, (0.0,))
    objective = valley_objective(found, stated, shots, structures, settings).trusting(stated)
    motion = along_valley(found, OFFSETS)
    motion, _, _ = maximise(objective, motion, iterations=1, settings=settings.levenberg_marquardt)
    free = replace(objective, intrinsics=("sdd",))
    along = _along(free.evaluate(motion), twists, sdd)
    places = torch.tensor(OFFSETS, dtype=torch.float64)
    prior = PRIOR_WEIGHT * (sdd / PRIOR[0]) ** 2  # times places^2 / 2, which similarities lack
    heights, slopes = along.value + prior * places.square() / 2, along.slope + prior * places
    top, bend = _top_of_parabola(places, heights, slopes)
    if bend <= FLAT:
        return Valley(top, math.inf, motion, along.step, along.change)
    n = _nearest(top)
    change = torch.cat([along.change[n, :twists], along.change.new_tensor([sdd])])
    spread = score_spread(free, motion[n : n + 1], twists + 1, BLOCKS)
    return Valley(top, float(change @ spread @ change) / bend**2, motion, along.step, along.change)


@dataclass(frozen=True, eq=False)
class _Along:
    """Similarity (B,) along the valley and its slope (B,) per share of the SDD.

    And of all but the SDD the step that is left to their best (B, P - 1) and their change with a share of it.
    """

    value: Tensor
    slope: Tensor
    step: Tensor
    change: Tensor


def _along(at: Evaluation, place: int, sdd: float) -> _Along:
    others = [n for n in range(at.slope.shape[1]) if n != place]
    rows = []
    for value, slope, curvature in zip(at.value, at.slope, at.curvature, strict=True):
        inverse = balanced_inverse(curvature[others][:, others])
        step, change = inverse @ slope[others], -inverse @ curvature[others, place] * sdd
        rows.append((value + slope[others] @ step / 2, slope[place] * sdd + change @ slope[others], step, change))
    return _Along(*(torch.stack(column) for column in zip(*rows, strict=True)))


def _top_of_parabola(places: Tensor, heights: Tensor, slopes: Tensor) -> tuple[float, float]:
    """Where a parabola through points and slopes is highest, and how much it bends (downwards).

    Without a top that is beyond the highest of the points: infinite if it is the first or last one, else its place.
    """
    half_a_step = (places[1] - places[0]) / 2
    powers = torch.stack([places**0, places, places.square()], dim=1)
    by_place = torch.stack([0 * places, places**0, 2 * places], dim=1)
    system, known = torch.cat([powers, half_a_step * by_place]), torch.cat([heights, half_a_step * slopes])
    _, slope, half = torch.linalg.lstsq(system, known[:, None]).solution[:, 0].tolist()
    if half < -FLAT / 2:
        return -slope / (2 * half), -2 * half
    n = int(heights.argmax())
    return float(places[n]) if 0 < n < len(places) - 1 else math.copysign(math.inf, float(places[n])), -2 * half


def _nearest(offset: float) -> int:
    return min(range(len(OFFSETS)), key=lambda n: abs(OFFSETS[n] - offset))


def along_valley(found: Registration, offsets: Sequence[float]) -> Motion:
    """Candidates with the SDD wrong by these shares of it, about where they show the structures as large as they are.

    Several views stay where they are, for their places relative to each other hold.
    """
    shares = torch.tensor(offsets, dtype=torch.float64)
    poses = found.poses.expand(len(shares), *found.poses.shape).clone()
    if poses.shape[2] == 1:
        beam = poses[..., :3, 2]
        depth = ((found.pivot[:, None] - poses[..., :3, 3]) * beam).sum(-1, keepdim=True)
        poses[..., :3, 3] -= shares[:, None, None, None] * depth * beam
    motion = Motion.of(poses, found.pivot, -found.scatter.log())
    return replace(motion, lens=F.pad(shares[:, None] * found.cameras[0].sdd_mm, (0, 2)))


def valley_objective(
    found: Registration,
    stated: Motion,
    shots: Sequence[Shot],
    structures: Sequence[Structure],
    settings: RegistrationSettings,
) -> Objective:
    """By which the answer does best, at the last scale."""
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]
    ceiling = expected_ceiling(structures, settings) if stated.scattered else None
    choices = objectives_at(settings.scales[-1], seen, structures, stated, settings)
    return Contenders.all_of(stated).most_alike([replace(choice, ceiling=ceiling) for choice in choices])[0]
