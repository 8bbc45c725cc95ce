"""The distance from source to detector set free: the valley that it and the distance of the patient lie in."""

from __future__ import annotations

import math
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
from .motion import Motion
from .objective import Evaluation
from .objective_at import objectives_at
from .registration import Registration, expected_ceiling
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
    r"""The answer with the distance from source to detector that fits best, the same for all views.

    SDD and distance of the patient lie in a valley so flat that the grain of voxels and pixels makes it rough, and
    steps end in its next dip. So the valley is looked over: the SDD is made wrong by each of `OFFSETS`, and what fits
    best is the top of a parabola through the similarities there and their slopes (see `look_over`). If that is far
    beyond the offsets, the valley is looked over again from there.

    At the first scale of at least 256 pixels, or the last one: finer ones tell it no better, and cost four times more.
    By edges alone: what lies outside a CT that ends within the patient changes greys, and with them the distance that
    fits best, by several standard deviations; edges it leaves where they are. Those that the answer shows otherwise
    than the X-rays count less.

    Args:
        found: The answer for K structures in V views.
        shots: The X-rays.
        structures: All that was rendered.
        settings: How the answer was found.

    Returns:
        The answer with other poses and cameras; its `lens_covariance` (1, 1) is the variance of the SDD [mm^2],
        infinite where no SDD fits better than those around it. The rest is as it was.
    """
    at = next((n for n, scale in enumerate(settings.scales) if scale >= ENOUGH), len(settings.scales) - 1)
    one = replace(settings.part(slice(at, at + 1)), weights=EDGES)
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]
    freed, variance = found, math.inf
    for _ in range(LOOKS):
        valley = look_over(freed, seen, structures, one)
        move = min(max(valley.top, -FARTHEST), FARTHEST)
        variance = valley.variance * seen[0].camera.sdd_mm ** 2
        seen = [replace(s, camera=replace(s.camera, sdd=s.camera.sdd_mm * (1 + move))) for s in seen]
        freed = replace(freed, poses=valley.poses_at(move), cameras=tuple(shot.camera for shot in seen))
        if abs(valley.top) <= BEYOND:
            break
    return replace(freed, lens_covariance=torch.tensor([[variance]], dtype=torch.float64))


@dataclass(frozen=True, eq=False)
class Valley:
    """What was seen from one place of it.

    Args:
        top: By what share of it the SDD is wrong, infinite where the valley has no top.
        variance: Of that, infinite likewise.
        motion: Where structures fit with the SDD wrong by each of `OFFSETS`.
        along: How all unknowns change there with a share of the SDD, (B, P): g, twists first.
    """

    top: float
    variance: float
    motion: Motion
    along: Tensor

    def poses_at(self, offset: float) -> Tensor:
        """Where they fit (K, V, 4, 4), about, with the SDD wrong by so much."""
        n = _nearest(offset)
        twists = self.along[n : n + 1, : 6 * self.motion.poses.shape[1]]
        return self.motion[n : n + 1].moved((offset - OFFSETS[n]) * twists).poses[0]


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
    the spread of the scores M = sum s_b s_b' nearest to it (covariance.py, squares of a sixth of the image) the
    variance g' M g / k^2: the sandwich estimator with the curvature that the valley has, which H, made for images that
    agree but for noise, exceeds by up to ten times where they do not.
    """
    sdd = shots[0].camera.sdd_mm
    places = torch.tensor(OFFSETS, dtype=torch.float64)
    starts = torch.stack([_farther(found, offset) for offset in OFFSETS])
    motion = Motion.of(starts, found.pivot, -found.scatter.log())
    motion = replace(motion, lens=torch.stack([places * sdd, *torch.zeros(2, len(places)).double()], dim=1))
    ceiling = expected_ceiling(structures, settings) if motion.scattered else None
    stated = motion[STATED : STATED + 1]
    choices = objectives_at(settings.scales[-1], shots, structures, stated, settings)
    alike, _ = Contenders.all_of(stated).most_alike([replace(choice, ceiling=ceiling) for choice in choices])
    objective = alike.trusting(stated)
    motion, _, _ = maximise(objective, motion, iterations=1, settings=settings.levenberg_marquardt)
    free = replace(objective, intrinsics=("sdd",))
    sdd_place = 6 * len(structures)
    along = _along(free.evaluate(motion), sdd_place, sdd)
    top, bend = _top_of_parabola(places, along.value, along.slope)
    if bend <= 0:
        return Valley(top, math.inf, motion, along.change)
    n = _nearest(top)
    change = along.change[n, : sdd_place + 1]
    spread = score_spread(free, motion[n : n + 1], len(change), BLOCKS)
    return Valley(top, float(change @ spread @ change) / bend**2, motion, along.change)


@dataclass(frozen=True, eq=False)
class _Along:
    """Similarity (B,) along the valley, and per share of the SDD its slope (B,) and the change g (B, P) of all."""

    value: Tensor
    slope: Tensor
    change: Tensor


def _along(at: Evaluation, place: int, sdd: float) -> _Along:
    others = [n for n in range(at.slope.shape[1]) if n != place]
    values, slopes, changes = [], [], []
    for value, slope, curvature in zip(at.value, at.slope, at.curvature, strict=True):
        inverse = balanced_inverse(curvature[others][:, others])
        change = torch.full_like(slope, sdd)
        change[others] = -inverse @ curvature[others, place] * sdd
        values.append(value + slope[others] @ inverse @ slope[others] / 2)
        slopes.append(change @ slope)
        changes.append(change)
    return _Along(torch.stack(values), torch.stack(slopes), torch.stack(changes))


def _top_of_parabola(places: Tensor, heights: Tensor, slopes: Tensor) -> tuple[float, float]:
    """Where a parabola through points and slopes is highest, and how much it bends (downwards)."""
    half_a_step = (places[1] - places[0]) / 2
    powers = torch.stack([places**0, places, places.square()], dim=1)
    by_place = torch.stack([0 * places, places**0, 2 * places], dim=1)
    system, known = torch.cat([powers, half_a_step * by_place]), torch.cat([heights, half_a_step * slopes])
    _, slope, half = torch.linalg.lstsq(system, known[:, None]).solution[:, 0].tolist()
    return (-slope / (2 * half) if half < 0 else math.copysign(math.inf, slope)), -2 * half


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
