"""Registration of implants: from X-rays, meshes and perhaps starts to a pose of each, with its rivals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import check_pose, rigid_inverse

from ..refine.pose_distance import distinct, mean_distance, seen_points
from ..xray.shot import Shot
from .fit import Climbed, climb
from .implant import Implant
from .objective import RimTarget
from .search import all_around, around, rough_places
from .settings import ImplantSettings
from .silhouette import Outline, focal_and_centre
from .symmetry import likely_symmetries, lookalikes
from .two_views import joined

RIVAL = 0.05  # correlation by which another answer must be worse to be out of the question
SYMMETRIC = 0.03  # of the radius: an implant that maps onto itself up to this is called symmetric
NEARLY = 0.1  # of the radius: up to this, its mirror images and turns compete with an answer
FINAL = 6  # candidates that the last climb polishes
DETAIL = 0.75  # of a pixel, seen at the detector: what coarser triangles may hide


@dataclass(frozen=True, eq=False)
class ImplantAnswer:
    """One place where an implant may be: poses (V, 4, 4), camera to mesh, and the correlation along its outline."""

    poses: Tensor
    score: float


@dataclass(frozen=True, eq=False)
class ImplantRegistration:
    """What was found of K implants in V views.

    Args:
        poses: (K, V, 4, 4) float64, camera to mesh k for view v, of the best answers.
        answers: For each implant the answers that differ, the best first.
        score: (K,) mean correlation along the outline, -1 to 1.
        seen: (K,) share of the outline inside the field.
        covariance: (K, 6, 6) of the left twist (w [rad], v [mm]) about pivot[k], from what the outline leaves open.
        pivot: (K, 3) in the mesh's frame [mm].
        converged: (K,) whether the last scale came to rest.
        doubts: One sentence each.
        seconds: Wall-clock time.
    """

    poses: Tensor
    answers: tuple[tuple[ImplantAnswer, ...], ...]
    score: Tensor
    seen: Tensor
    covariance: Tensor
    pivot: Tensor
    converged: Tensor
    doubts: tuple[str, ...]
    seconds: float

    @property
    def mesh_to_camera(self) -> Float[Tensor, "implants views 4 4"]:
        """Where each mesh lies in the frame of each camera [mm]."""
        return rigid_inverse(self.poses)


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
    targets = [tuple(RimTarget.of(shot, scale) for shot in shots) for scale in settings.scales]
    found, doubts = [], []
    for k, implant in enumerate(implants):
        begin = None if given is None else given[:, k]
        answers, at = _one(shots, implant, begin, between, targets, settings)
        found.append((answers, at))
        doubts += doubts_of(implant, answers, float(at.at.seen[0]))
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


def doubts_of(implant: Implant, answers: Sequence[ImplantAnswer], seen: float) -> list[str]:
    """What speaks against the first answer, one sentence each."""
    found = [f"{implant.name}, {doubt}" for doubt in implant.mesh.doubts]
    if seen < 0.7:
        found.append(f"{implant.name}: {seen:.0%} of its outline lies inside the field, the rest is not seen.")
    rivals = [answer for answer in answers[1:] if answer.score > answers[0].score - RIVAL]
    if rivals:
        away = float(likely_symmetries(implant)[1][0])
        why = f", it is nearly symmetric (to {away:.1f} mm)" if away < SYMMETRIC * implant.radius else ""
        scores = ", ".join(f"{answer.score:.2f}" for answer in rivals)
        found.append(
            f"{implant.name}: {len(rivals) + 1} answers fit about as well ({answers[0].score:.2f} and {scores}){why}; "
            "look at all of them, a second view would decide."
        )
    return found


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
    shots: Sequence[Shot],
    implant: Implant,
    starts: Tensor | None,
    between: Tensor,
    targets: Sequence[tuple[RimTarget, ...]],
    settings: ImplantSettings,
) -> tuple[tuple[ImplantAnswer, ...], Climbed]:
    """The answers for one implant, and the climb that ended in the first."""
    if starts is not None:
        _check_in_view(shots, implant, starts)
    outlines = [_outline(implant, level) for level in targets]
    candidates = _candidates(shots, implant, starts, between, settings)
    for level, (target, outline) in enumerate(zip(targets, outlines, strict=True)):
        climbed = climb(target, outline, candidates, settings.fit)
        candidates = climbed.poses[_best(climbed, implant)[: max(1, settings.keep >> level)]]
    if settings.lookalikes:
        candidates = torch.cat([candidates, _rivals(targets[-1], outlines[-1], implant, candidates[0], settings)])
    last = climb(targets[-1], outlines[-1], candidates[:FINAL], replace(settings.fit, reach=settings.fit.last_reach))
    best = _best(last, implant)
    chosen = Climbed(last.poses[best], type(last.at)(*(part[best] for part in last.at)), last.converged[best])
    if float(chosen.at.value[0]) < settings.least:
        raise InputError(
            f"{implant.name} must be seen in the X-rays, got no place where its outline fits (the best correlates "
            f"{float(chosen.at.value[0]):.2f}, {settings.least:g} is asked for); check the mesh, its unit, the camera, "
            "or give a start."
        )
    answers = zip(chosen.poses, chosen.at.value.tolist(), strict=True)
    return tuple(ImplantAnswer(poses, score) for poses, score in answers), chosen


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


def _candidates(
    shots: Sequence[Shot], implant: Implant, starts: Tensor | None, between: Tensor, settings: ImplantSettings
) -> Tensor:
    """Poses (S, V, 4, 4) to climb from: the starts and what is found around them, or anywhere."""
    if starts is not None and not settings.spread:
        return starts
    search = settings.search
    level = tuple(RimTarget.of(shot, search.longest) for shot in shots)
    outline, places = _outline(implant, level), []
    for v, target in enumerate(level):
        if starts is None:
            rolls = torch.arange(0, 360, search.step, dtype=torch.float64).deg2rad()
            middle = search.depths[len(search.depths) // 2]
            sizes, within = torch.tensor(search.depths, dtype=torch.float64) / middle, None
            poses = all_around(outline, target.camera, search)
        else:
            rolls = torch.tensor([-9.0, 0.0, 9.0], dtype=torch.float64).deg2rad()
            sizes = torch.tensor([0.97, 1.0, 1.03], dtype=torch.float64)
            poses = torch.cat([around(outline, start) for start in starts[:, v]])
            depth = (rigid_inverse(starts[:, v])[:, :3, :3] @ implant.pivot + rigid_inverse(starts[:, v])[:, :3, 3])[
                :, 2
            ]
            within = settings.radius * float(focal_and_centre(target.camera)[0].mean() / depth.mean())
        keep = search.keep if starts is None else max(4, settings.keep // 2)
        places.append(rough_places(target, outline, poses, rolls=rolls, sizes=sizes, within=within, keep=keep))
    found = joined(places, implant, between, most=search.keep)
    found = found if starts is None else torch.cat([starts, found])
    if len(found) == 0:
        raise InputError(
            f"{implant.name} must be found at one place by all X-rays, got places that do not meet; check the cameras "
            "and the order of the X-rays, or give a start."
        )
    return found


def _outline(implant: Implant, targets: tuple[RimTarget, ...]) -> Outline:
    """The implant at the detail that the finest view can show."""
    pitch = min(float((1 / focal_and_centre(t.camera)[0]).min()) * _sdd(t) for t in targets)
    return Outline(implant.with_detail(DETAIL * pitch))


def _sdd(target: RimTarget) -> float:
    return float(target.camera.tensors(dtype=torch.float64, device="cpu")[0][0])


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


def _check_in_view(shots: Sequence[Shot], implant: Implant, starts: Tensor) -> None:
    for start in starts.reshape(-1, len(shots), 4, 4):
        for shot, pose in zip(shots, start, strict=True):
            focal, centre = focal_and_centre(shot.camera)
            to_camera = rigid_inverse(pose)
            seen = to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3]
            uv = focal * seen[:2] / seen[2].clamp_min(1.0) + centre
            reach = focal.max() * implant.radius / seen[2].clamp_min(1.0)
            size = uv.new_tensor([shot.camera.width, shot.camera.height])
            if seen[2] <= implant.radius or bool((uv < -reach).any()) or bool((uv > size + reach).any()):
                raise InputError(
                    f"{implant.name} must start inside {shot.name}, got a start that puts it at "
                    f"({float(uv[0]):.0f}, {float(uv[1]):.0f}) px of {shot.camera.width} x {shot.camera.height}, "
                    f"{float(seen[2]):.0f} mm before the source; check the start, and the unit of the mesh."
                )
