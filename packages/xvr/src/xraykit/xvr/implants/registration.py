"""Registration of implants: from X-rays, meshes and perhaps starts to a pose of each, with its rivals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import check_pose, full_precision, rigid_inverse

from ..refine.pose_distance import distinct, mean_distance, seen_points
from ..xray.shot import Shot
from .answers import SEEN, ImplantAnswer, ImplantRegistration, doubts_of
from .candidates import candidate_poses, check_in_view, outline_for
from .fit import Climbed, climb
from .implant import Implant
from .objective import RimTarget
from .other_side import mirror_image, side_doubts
from .settings import ImplantSettings
from .silhouette import Outline
from .symmetry import likely_symmetries, lookalikes

NEARLY = 0.15  # of the radius: up to this, its mirror images and turns compete with an answer
FIRST = 4  # steps after which the many candidates of a search are thinned out
FINAL = 8  # candidates that the last climb polishes


@full_precision
def register_implants(
    shots: Shot | Sequence[Shot],
    implants: Implant | Sequence[Implant],
    starts: Tensor | None = None,
    settings: ImplantSettings | None = None,
    *,
    cameras: Tensor | None = None,
) -> ImplantRegistration:
    """Find where implants or tools are in front of one or several calibrated X-rays of one moment.

    Each implant has a pose of its own, found by matching the outline and shadow of its mesh with the X-rays, coarse
    to fine; see `evaluate` in objective.py. Without starts, all orientations are searched.

    Args:
        shots: V X-rays.
        implants: K of them.
        starts: Camera to mesh, (S, K, V, 4, 4); (K, V, 4, 4) is one start, and for one implant in one
            view (S, 4, 4) and (4, 4) do. None searches.
        settings: None is all defaults.
        cameras: Camera to world of the V views, (V, 4, 4), for searches in several views; the world is any.

    Returns:
        Poses, rivals and doubts.

    Raises:
        InputError: Shapes that do not fit, a start out of view, or an implant that is found nowhere.
        GeometryError: A start or camera that is no rigid motion.
    """
    begun = time.perf_counter()
    shots = (shots,) if isinstance(shots, Shot) else tuple(shots)
    implants = (implants,) if isinstance(implants, Implant) else tuple(implants)
    settings = settings or ImplantSettings()
    if not shots or not implants:
        raise InputError(f"give an X-ray and an implant at least, got {len(shots)} and {len(implants)}.")
    given = None if starts is None else checked_starts(starts, len(implants), len(shots))
    between = _between(cameras, given, len(shots))
    most = max(max(shot.image.shape[-2:]) for shot in shots)
    scales = dict.fromkeys(min(scale, most) for scale in settings.scales)
    targets = [tuple(RimTarget.of(shot, scale) for shot in shots) for scale in scales]
    places = partial(_places, shots, between, targets)
    found, doubts = [], []
    for k, implant in enumerate(implants):
        begin = None if given is None else given[:, k]
        if begin is not None:
            check_in_view(shots, implant, begin)
        answers, at = _one(places, implant, begin, settings, views=len(shots))
        found.append((answers, at))
        doubts += doubts_of(implant, answers, float(at.at.seen[0]))
        doubts += side_doubts(targets[0], implant, at.poses[0], settings.fit) if settings.lookalikes else []
    return ImplantRegistration(
        poses=torch.stack([at.poses[0] for _, at in found]),
        answers=tuple(answers for answers, _ in found),
        score=torch.stack([at.at.value[0] for _, at in found]),
        seen=torch.stack([at.at.seen[0] for _, at in found]),
        covariance=torch.stack([_covariance(at) for _, at in found]),
        pivot=torch.stack([implant.pivot for implant in implants]),
        converged=torch.stack([at.converged[0] for _, at in found]),
        doubts=tuple(doubts),
        seconds=time.perf_counter() - begun,
    )


def checked_starts(starts: Tensor, implants: int, views: int) -> Float[Tensor, "starts {implants} {views} 4 4"]:
    """Starts with all five axes, float64; see `register_implants`."""
    full = starts if starts.ndim == 5 else starts.unflatten(0, (1, -1)) if starts.ndim == 4 else starts
    if implants == views == 1 and full.ndim < 4:
        full = starts.reshape(-1, 1, 1, *starts.shape[-2:])
    if full.ndim != 5 or full.shape[1:] != (implants, views, 4, 4) or len(full) == 0:
        raise InputError(
            f"starts must be (S, {implants}, {views}, 4, 4) for {implants} implants in {views} X-rays, "
            f"got {tuple(starts.shape)}."
        )
    check_pose(full.reshape(-1, 4, 4), name="starts")
    return full.double()


def _between(cameras: Tensor | None, starts: Tensor | None, views: int) -> Float[Tensor, "{views} 4 4"]:
    """Camera v to the first camera."""
    if cameras is None and starts is not None:
        cameras = starts[0, 0]
    if cameras is None:
        if views > 1:
            raise InputError(
                f"a search in {views} X-rays needs to know where they stand to each other, got neither starts nor "
                "cameras=; give camera_to_world of each."
            )
        return torch.eye(4, dtype=torch.float64)[None]
    if tuple(cameras.shape) != (views, 4, 4):
        raise InputError(f"cameras must be ({views}, 4, 4), one for each X-ray, got {tuple(cameras.shape)}.")
    check_pose(cameras, name="cameras")
    return rigid_inverse(cameras.double()[0]) @ cameras.double()


def _one(
    places: Callable[[Implant, Tensor | None, ImplantSettings], tuple[Climbed, float]],
    implant: Implant,
    starts: Tensor | None,
    settings: ImplantSettings,
    *,
    views: int,
) -> tuple[tuple[ImplantAnswer, ...], Climbed]:
    """The answers for one implant, and the climb that ended in the first."""
    chosen, fits = places(implant, starts, settings)
    if fits < settings.least:
        mirrored = 0.0
        if settings.lookalikes and views > 1 and (mirror := mirror_image(implant)) is not None:
            begin = None if starts is None else torch.cat([mirror.starts(implant, start) for start in starts])
            plain = replace(settings, lookalikes=False)
            mirrored = places(mirror.implant, begin, plain)[1]
        other = f" (mirrored, {mirrored:.2f}: this may be the implant of the other side; give its mesh)"
        raise InputError(
            f"{implant.name} must be seen in the X-rays, got no place where its outline fits (the best correlates "
            f"{fits:.2f}, {settings.least:g} is asked for){other if mirrored >= settings.least else ''}; check the "
            "mesh, its unit, the camera, the polarity of the X-rays, or give a start."
        )
    answers = zip(chosen.poses, chosen.at.value.tolist(), strict=True)
    return tuple(ImplantAnswer(poses, score) for poses, score in answers), chosen


def _places(
    shots: Sequence[Shot],
    between: Tensor,
    targets: Sequence[tuple[RimTarget, ...]],
    implant: Implant,
    starts: Tensor | None,
    settings: ImplantSettings,
) -> tuple[Climbed, float]:
    """The places where the implant fits best, by falling value, and the correlation of the first."""
    outlines = [outline_for(implant, level) for level in targets]
    candidates = candidate_poses(shots, implant, starts, between, settings)
    if len(candidates) > 2 * settings.keep:
        tried = climb(targets[0], outlines[0], candidates, replace(settings.fit, iterations=FIRST))
        candidates = tried.poses[_best(tried, implant)[: 2 * settings.keep]]
    for level, (target, outline) in enumerate(zip(targets, outlines, strict=True)):
        climbed = climb(target, outline, candidates, settings.fit)
        candidates = climbed.poses[_best(climbed, implant)[: max(1, settings.keep >> level)]]
    if settings.lookalikes:
        candidates = torch.cat([candidates, _rivals(targets[-1], outlines[-1], implant, candidates[0], settings)])
    last = climb(targets[-1], outlines[-1], candidates[:FINAL], replace(settings.fit, reach=settings.fit.last_reach))
    best = _best(last, implant)
    chosen = Climbed(last.poses[best], type(last.at)(*(part[best] for part in last.at)), last.converged[best])
    return chosen, float(chosen.at.value[0] / chosen.at.seen[0].clamp_min(SEEN))


def _rivals(
    target: tuple[RimTarget, ...], outline: Outline, implant: Implant, pose: Tensor, settings: ImplantSettings
) -> Tensor:
    """Poses (S, V, 4, 4) that a nearly symmetric implant at `pose` could be taken for, climbed; perhaps none."""
    maps, away = likely_symmetries(implant)
    near = maps[away < NEARLY * implant.radius]
    if len(near) == 0:
        return pose[:0, None].expand(0, *pose.shape)
    climbed = climb(target, outline, lookalikes(implant, pose, near), settings.fit)
    return climbed.poses[_best(climbed, implant)]


def _best(climbed: Climbed, implant: Implant) -> Tensor:
    """Candidates that differ, by falling value."""
    order = climbed.at.value.argsort(descending=True)
    reach = implant.radius * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    seen = seen_points(climbed.poses[order], (implant.pivot + reach)[None, None])
    return order[distinct(seen.flatten(1, 2), implant.radius / 10, mean_distance)]


def _covariance(at: Climbed) -> Tensor:
    """Of the first candidate, (6, 6)."""
    known = at.at.information[0]
    return torch.linalg.inv(known + torch.diag(known.diagonal() * 1e-9 + 1e-12))
