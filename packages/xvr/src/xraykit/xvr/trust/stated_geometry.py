"""Whether X-rays agree with the geometry stated for them: how they move when it is set free, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from ..refine.climb_settings import RegistrationSettings
from ..refine.freed_sdd import freed_sdd
from ..refine.freeing import deviation, freed_views, twist_between
from ..refine.pose_distance import misplacement
from ..refine.registration import Registration, similarities
from ..refine.structure import Structure
from ..xray.shot import Shot
from .target_points import points_in_view, predicted_error, target_points

SIGNIFICANT = 4.0  # standard deviations per degree of freedom: residuals of real images are no white noise
SDD_SIGNIFICANT = 2.0  # of the SDD alone: one right camera in twelve exceeds it (benchmarks/studies/xvr_trust.py)
SDD_FLOOR = 0.005  # of the SDD, beside noise: patients are not quite rigid
DEPTH_FLOOR = 0.001  # of the distance to a view's source, likewise
EXPLAINS = 0.5  # of what free places gain in similarity: a free SDD, one number for all views, that gains this is why
LEAST = 0.2  # mm: less is the same answer


@dataclass(frozen=True, eq=False)
class GeometryCheck:
    """What freeing the stated geometry shows.

    Args:
        registration: The answer: as it was, or with a pose of its own for each view where stated places are wrong.
        doubts: One sentence for each contradiction; empty where the X-rays agree with what is stated.
        shift: How far the answer moves with the SDD free, where that contradicts what is stated [mm]; else 0.
    """

    registration: Registration
    doubts: tuple[str, ...] = ()
    shift: float = 0.0


def check_geometry(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> GeometryCheck:
    """Free each view of several, and the distance from source to detector, and see whether the answer moves.

    An answer for several views takes their places relative to each other as exact, and every answer the SDD. Where
    they are not, the answer is a compromise. Both are freed from there at the last scale; a move of a view beyond
    `SIGNIFICANT`, of the SDD beyond `SDD_SIGNIFICANT` standard deviations of its own uncertainty contradicts what is
    stated. To what noise tells of the depth of a view and of the SDD a floor is added, see `with_depth_floor`. Views
    that contradict their places keep the poses that fit each alone, each with its covariance; what is said of all of
    them is that of the view that is known least. A wrong SDD moves views apart too; it is taken for the reason where
    its own move contradicts what is stated and gains at least half as much similarity.

    Args:
        found: The answer for K structures in V views.
        shots: The X-rays.
        structures: All that was rendered.
        settings: How the answer was found.
    """
    points = points_in_view(target_points(structures[0].volume), found.cameras, found.poses[0])
    freed = None if "sdd" in settings.intrinsics else freed_sdd(found, shots, structures, settings)
    by_sdd = GeometryCheck(found) if freed is None else _with_free_sdd(found, freed, points)
    if len(shots) < 2:
        return by_sdd
    alone = freed_views(found, shots, structures, settings)
    said = [_moved_view(found, one, v, shots[v].name, points) for v, one in enumerate(alone)]
    doubts = tuple(sentence for sentence in said if sentence)
    if not doubts:
        return by_sdd
    apart = _each_alone(found, alone, points)
    if freed is not None and by_sdd.doubts:
        before, places, sdd = similarities(shots, structures, [found, apart, freed], settings).tolist()
        if sdd - before >= EXPLAINS * (places - before):
            return by_sdd
    return GeometryCheck(apart, doubts)


def _moved_view(found: Registration, alone: Registration, view: int, name: str, points: Tensor) -> str:
    """What contradicts the place of a view, empty where nothing does."""
    before, after = found.poses[:, view], alone.poses[:, 0]
    twists = twist_between(before, after, found.pivot)
    known = with_depth_floor(alone.covariance, before, found.pivot)
    far = max(deviation(twist, each) for twist, each in zip(twists, known, strict=True))
    shift = float(misplacement(after[0], before[0], points))
    if far < SIGNIFICANT or shift < LEAST:
        return ""
    turn = math.degrees(float(twists[0, :3].norm()))
    return (
        f"{name}: by itself it moves by {shift:.1f} mm and {turn:.1f} degrees from where the other views put it, "
        f"{far:.0f} times what its uncertainty allows; the tags, poses or --camera files that place the views relative "
        "to each other are not exact, so each view has the pose that fits it alone"
    )


def with_depth_floor(
    covariance: Float[Tensor, "*structures 6 6"], poses: Tensor, pivot: Tensor
) -> Float[Tensor, "*structures 6 6"]:
    r"""Covariances of left twists (w [rad], v [mm]) with `DEPTH_FLOOR` of the distance added along the beam.

        C_vv + (f d)^2 b b^T,    d = (pivot - source) . b

    The depth of one view rests on magnification alone, so that what a CT does not show, or shows otherwise, moves it by
    more than noise tells.

    Args:
        covariance: (.., 6, 6).
        poses: Camera to world of the view, (.., 4, 4); the third axis b is the beam.
        pivot: About which the twists turn, (.., 3) [mm].
    """
    beam, source = poses[..., :3, 2].double(), poses[..., :3, 3].double()
    spread = DEPTH_FLOOR * ((pivot.double() - source) * beam).sum(-1, keepdim=True) * beam
    floored = covariance.double().clone()
    floored[..., 3:, 3:] += spread[..., :, None] * spread[..., None, :]
    return floored


def _each_alone(found: Registration, alone: Sequence[Registration], points: Tensor) -> Registration:
    errors = torch.stack([predicted_error(one.covariance[0], one.pivot[0], points) for one in alone])
    least_known = alone[int(errors.argmax())]
    poses = torch.cat([one.poses for one in alone], dim=1)
    by_view = torch.stack([one.covariance for one in alone])
    scatter = torch.cat([one.scatter for one in alone])
    return replace(found, poses=poses, covariance=least_known.covariance, view_covariance=by_view, scatter=scatter)


class SddMove(NamedTuple):
    """What freeing the SDD does: from where to where [mm], by how many deviations, how far the answer moves [mm].

    A deviation is that of the covariance and `SDD_FLOOR` of the SDD, in quadrature.
    """

    before: float
    after: float
    deviations: float
    shift: float


def sdd_move(found: Registration, freed: Registration, points: Tensor) -> SddMove:
    """How an answer moves when its SDD is set free, seen at the points (N, 3)."""
    before, after = (one.cameras[0].sdd_mm for one in (found, freed))
    known = float(freed.lens_covariance[0, 0].clamp_min(0).sqrt())
    shift = float(misplacement(freed.poses[0, 0], found.poses[0, 0], points))
    return SddMove(before, after, abs(after - before) / math.hypot(known, SDD_FLOOR * before), shift)


def _with_free_sdd(found: Registration, freed: Registration, points: Tensor) -> GeometryCheck:
    before, after, deviations, shift = sdd_move(found, freed, points)
    if deviations < SDD_SIGNIFICANT or shift < LEAST:
        return GeometryCheck(found)
    doubt = (
        f"the X-ray fits better with sdd {after:.0f} mm than with the {before:.0f} mm that were stated, and the answer "
        f"would move by {shift:.1f} mm; check --sdd and --pixel-spacing, whose ratio is what an X-ray shows, or find "
        "it too with --refine-intrinsics sdd"
    )
    return GeometryCheck(found, (doubt,), shift)
