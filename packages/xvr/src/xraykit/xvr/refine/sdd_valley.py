"""The distance from source to detector set free: the valley that it and the distance of the patient lie in."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from xraykit.render.geometry import differentiating

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .competition import Contenders
from .covariance import balanced_inverse, score_spread
from .levenberg_marquardt import maximise
from .motion import PRIOR, Motion
from .objective import PRIOR_WEIGHT, Evaluation
from .objective_at import objectives_at
from .registration import Registration, expected_ceiling, similarities
from .structure import Structure

OFFSETS = (-0.02, 0.0, 0.02)  # of the SDD
STATED = OFFSETS.index(0.0)
BEYOND = 0.03  # a top farther than that is looked for once more, from there
FARTHEST = 0.08  # or from there, where it is farther still
LOOKS = 5  # at most
ENOUGH = 256  # px: finer images tell the SDD no better
EDGES = (0.0, 0.0, 1.0)  # the gradient NCC alone
BLOCKS = 6  # along an image: patients deform as smoothly as that


def freed_sdd(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Registration:
    r"""The answer with the distance from source to detector that fits best, moved by the same [mm] for all views.

    SDD and distance of the patient lie in a valley so flat that the grain of voxels and pixels makes it rough, and
    steps end in its next dip. So the valley is looked over: the SDD is made wrong by each of `OFFSETS`, and what fits
    best is the top of a parabola through the similarities there and their slopes (see `look_over`). If that is far
    beyond the offsets, the valley is looked over again from there; what was found so has to be more alike.

    At the first scale of at least 256 pixels, or the last one: finer ones tell it no better, and cost four times more.
    By edges alone: what lies outside a CT that ends within the patient changes greys, and with them the distance that
    fits best, by several standard deviations; edges it leaves where they are. Those that the answer shows otherwise
    than the X-rays count less. Similarity "mind" is taken as it is.

    Args:
        found: The answer for K structures in V views.
        shots: The X-rays.
        structures: All that was rendered.
        settings: How the answer was found.

    Returns:
        The answer with other poses, cameras and scatter; its `lens_covariance` (1, 1) is the variance of the SDD
        [mm^2], the largest that was seen on the way, infinite where no SDD fits better than those around it; its
        `seconds` are those of this. The rest is as it was.
    """
    begun = time.perf_counter()
    at = next((n for n, scale in enumerate(settings.scales) if scale >= ENOUGH), len(settings.scales) - 1)
    one = replace(settings.part(slice(at, at + 1)), weights=EDGES)
    freed, variance, spread = found, math.inf, 0.0
    for _ in range(LOOKS):
        valley = look_over(freed, shots, structures, one)
        move = min(max(valley.top, -FARTHEST), FARTHEST) * freed.cameras[0].sdd_mm
        variance = valley.variance * freed.cameras[0].sdd_mm ** 2
        spread = max(spread, variance if math.isfinite(variance) else 0.0)
        cameras = tuple(replace(camera, sdd=camera.sdd_mm + move) for camera in freed.cameras)
        freed = valley.answer(replace(freed, cameras=cameras), move / freed.cameras[0].sdd_mm)
        if abs(valley.top) <= BEYOND:
            break
    else:
        variance = math.inf
    is_far = abs(freed.cameras[0].sdd_mm / found.cameras[0].sdd_mm - 1) > BEYOND
    if is_far and not _is_more_alike(freed, found, shots, structures, one):
        freed, variance = found, math.inf
    known = torch.tensor([[max(variance, spread)]], dtype=torch.float64)
    return replace(freed, lens_covariance=known, seconds=time.perf_counter() - begun)


def _is_more_alike(
    freed: Registration,
    found: Registration,
    shots: Sequence[Shot],
    structures: Sequence[Structure],
    settings: RegistrationSettings,
) -> bool:
    before, after = similarities(shots, structures, (found, freed), settings).tolist()
    return after > before


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
def look_over(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Valley:
    r"""The top of the valley, and how well it is known.

    With the SDD wrong by x_i, poses and scatter are refined by a step. What is left to gain by them is taken from the
    curvature H of all unknowns, so that with g the change of all that goes with one of the SDD at their best

        S_i = S + s_q' H_qq^-1 s_q / 2,    dS_i/dx = g' s,    g = (1, -H_qq^-1 H_qx)

    are similarity and slope along the valley, s being the slope of all and q all but the SDD. A parabola
    S = a + b x - k x^2 / 2 through these (slopes count by half a step between offsets) has its top at b / k, and with
    the spread of the scores M = sum s_b s_b' nearest to it (covariance.py, squares of a sixth of the window) the
    variance g' M g / k^2 (ceilings of scatter left out of both, as there): the sandwich estimator with the curvature
    that the valley has. H, made for images that agree but for noise, exceeds that by up to ten times elsewhere.
    """
    sdd, twists = found.cameras[0].sdd_mm, 6 * len(structures)
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]
    places = torch.tensor(OFFSETS, dtype=torch.float64)
    starts = torch.stack([_farther(found, offset) for offset in OFFSETS])
    motion = Motion.of(starts, found.pivot, -found.scatter.log())
    motion = replace(motion, lens=torch.stack([places * sdd, *torch.zeros(2, len(places)).double()], dim=1))
    ceiling = expected_ceiling(structures, settings) if motion.scattered else None
    stated = motion[STATED : STATED + 1]
    choices = objectives_at(settings.scales[-1], seen, structures, stated, settings)
    alike, _ = Contenders.all_of(stated).most_alike([replace(choice, ceiling=ceiling) for choice in choices])
    objective = alike.trusting(stated)
    motion, _, _ = maximise(objective, motion, iterations=1, settings=settings.levenberg_marquardt)
    free = replace(objective, intrinsics=("sdd",))
    along = _along(free.evaluate(motion), twists, sdd)
    prior = PRIOR_WEIGHT * (sdd / PRIOR[0]) ** 2  # times places^2 / 2, which similarities lack
    heights, slopes = along.value + prior * places.square() / 2, along.slope + prior * places
    top, bend = _top_of_parabola(places, heights, slopes)
    if bend <= 0:
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
    if half < 0:
        return -slope / (2 * half), -2 * half
    n = int(heights.argmax())
    return float(places[n]) if 0 < n < len(places) - 1 else math.copysign(math.inf, float(places[n])), -2 * half


def _nearest(offset: float) -> int:
    return min(range(len(OFFSETS)), key=lambda n: abs(OFFSETS[n] - offset))


def _farther(found: Registration, offset: float) -> Tensor:
    """The poses (K, V, 4, 4) where an SDD longer by that share of it shows the structures as large as they are.

    Several views stay where they are, for their places relative to each other hold.
    """
    if found.poses.shape[1] > 1:
        return found.poses
    beam = found.poses[..., :3, 2]
    depth = ((found.pivot[:, None] - found.poses[..., :3, 3]) * beam).sum(-1, keepdim=True)
    moved = found.poses.clone()
    moved[..., :3, 3] -= offset * depth * beam
    return moved
