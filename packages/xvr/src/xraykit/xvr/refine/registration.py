"""Registration: from X-rays, volumes and candidate starts to the pose that makes them most alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume
from xraykit.render.geometry import check_pose, differentiating

from ..xray.shot import Shot
from .adam import Adam, ascend
from .covariance import twist_covariance
from .levenberg_marquardt import LevenbergMarquardt, maximise
from .motion import INTRINSICS, Motion
from .objective import WEIGHTS, Evaluation, Objective, TargetImage
from .pose_distance import distinct, mean_distance, seen_points
from .pyramid import footprint, samples_through, shrunk_shot
from .settings import Optimizer, RefinementSettings
from .structure import Structure
from .window import anatomy_window

TERMS = ("ncc", "patch_ncc", "gradient_ncc")


@dataclass(frozen=True)
class RegistrationSettings:
    """How to climb.

    Args:
        optimizer: "levenberg_marquardt" takes second-order steps on the analytic Jacobian; "adam" is the published
            first-order ascent.
        scales: Pixels of the image's longer side, coarse to fine; those beyond the image's own size are capped at it.
        iterations: Most steps at each scale.
        keep: Candidates that go on after the first scale, at most: the best ones that differ; half as many after each
            further one.
        intrinsics: Any of "sdd" and "principal_point", refined at the last scale.
        weights: Shares of NCC, patch NCC and gradient NCC.
        floor: Local variance, relative to the image's, below which a window counts as empty.
        voxel: Largest voxel to render with, in pixels as seen at the patient's depth.
        window: Compare only where the structures project (with a margin) instead of the whole image.
        levenberg_marquardt: Settings of that optimizer.
        adam: Settings of that optimizer.
    """

    optimizer: Optimizer = RefinementSettings.optimizer
    scales: tuple[int, ...] = RefinementSettings.scales
    iterations: tuple[int, ...] | int = RefinementSettings.iterations
    keep: int = 4
    intrinsics: tuple[str, ...] = RefinementSettings.intrinsics
    weights: tuple[float, float, float] = WEIGHTS
    floor: float = 1e-3
    voxel: float = 1.0
    window: bool = True
    levenberg_marquardt: LevenbergMarquardt = field(default_factory=LevenbergMarquardt)
    adam: Adam = field(default_factory=Adam)

    def __post_init__(self) -> None:
        if (
            not self.scales
            or any(b <= a for a, b in zip(self.scales, self.scales[1:], strict=False))
            or self.scales[0] < 16
        ):
            raise InputError(f"scales must grow from at least 16 pixels, got {self.scales}.")
        unknown = set(self.intrinsics) - set(INTRINSICS)
        if unknown:
            raise InputError(f"intrinsics must be among {', '.join(INTRINSICS)}, got {', '.join(sorted(unknown))}.")
        if isinstance(self.iterations, tuple) and len(self.iterations) != len(self.scales):
            raise InputError(
                f"give one number of iterations, or one per scale, got {self.iterations} for {self.scales}."
            )
        if self.optimizer not in ("levenberg_marquardt", "adam"):
            raise InputError(f"optimizer must be levenberg_marquardt or adam, got {self.optimizer!r}.")


@dataclass(frozen=True, eq=False)
class RefinementStep:
    """A moment of the climb of the candidate that won: poses (K, V, 4, 4), similarity, and seconds since the start."""

    stage: int
    scale: int
    poses: Tensor
    similarity: float
    seconds: float


@dataclass(frozen=True, eq=False)
class RefinedCandidate:
    """Where one start ended: poses (K, V, 4, 4); `scale` is the last one it took part in."""

    poses: Tensor
    similarity: float
    converged: bool
    scale: int


@dataclass(frozen=True, eq=False)
class Registration:
    """What `register` found.

    Args:
        poses: (K, V, 4, 4) float64, camera to world of structure k's volume for view v; the best iterate.
        start: (V, 4, 4), the start that won.
        cameras: One per view, refined where asked, at the X-ray's own resolution.
        similarity: The objective at the finest scale, in [-1, 1].
        terms: Its three parts by name.
        covariance: (K, 6, 6) of the left twist (w [rad], v [mm]) about pivot[k]; see covariance.py.
        pivot: (K, 3) world RAS [mm].
        candidates: One per start, in their order.
        history: The climb of the winner.
        converged: Whether the last scale ended before its iterations did.
        seconds: Wall-clock time.
    """

    poses: Tensor
    start: Tensor
    cameras: tuple[Camera, ...]
    similarity: float
    terms: dict[str, float]
    covariance: Tensor
    pivot: Tensor
    candidates: tuple[RefinedCandidate, ...]
    history: tuple[RefinementStep, ...]
    converged: bool
    seconds: float


@differentiating
def register_structures(
    shots: Shot | Sequence[Shot],
    structures: Volume | Structure | Sequence[Volume | Structure],
    starts: Tensor,
    settings: RegistrationSettings = RegistrationSettings(),
    *,
    report: Callable[[RefinementStep], None] | None = None,
) -> Registration:
    """Find the pose of X-rays relative to a volume (or of several rigid structures) by making DRRs like them.

    Maximises the mean over views of `weights` . (NCC, patch NCC, gradient NCC) between each X-ray and the sum of the
    structures' line integrals, coarse to fine, from all starts at once; after each scale the best few go on.

    Args:
        shots: The X-rays of one patient, V of them; their relative geometry, as given by the starts, is kept.
        structures: K rigid bodies (volumes that are zero outside them); one volume is the whole patient. An `Structure`
            keeps what was prepared for the next X-ray.
        starts: Camera to world, (S, V, 4, 4); (S, 4, 4) and (4, 4) do for one view.
        settings: See `RegistrationSettings`.
        report: Called after every step with the best candidate so far; an exception it raises ends the work.

    Returns:
        The best pose with everything needed to judge it.

    Raises:
        InputError: Shapes that do not fit, or an X-ray in which nothing can be compared.
        GeometryError: A start is no rigid motion.
    """
    begun = time.perf_counter()
    shots = (shots,) if isinstance(shots, Shot) else tuple(shots)
    structures = (structures,) if isinstance(structures, Volume | Structure) else tuple(structures)
    starts = _checked(starts, len(shots))
    bodies = tuple(body if isinstance(body, Structure) else Structure.of(body) for body in structures)
    pivots = torch.stack([body.pivot for body in bodies])
    motion, alive = Motion.of(starts, pivots), torch.arange(len(starts))
    ended: dict[int, RefinedCandidate] = {}
    trace = _Trace(begun, report)
    at, done, objective = None, None, None
    for stage, scale in enumerate(settings.scales):
        last = stage == len(settings.scales) - 1
        objective = _objective(shots, bodies, motion, scale, settings, last)

        motion, at, done = _climb(objective, motion, stage, settings, trace.watcher(stage, scale, alive))
        for i, start in enumerate(alive.tolist()):
            ended[start] = RefinedCandidate(motion.poses[i], float(at.value[i]), bool(done[i]), scale)
        if not last:
            kept = best_distinct(motion, at.value)[: max(1, settings.keep >> stage)]
            motion, alive = motion[kept], alive[kept]
    assert at is not None and done is not None and objective is not None  # noqa: S101 - there is at least one scale
    best = int(at.value.argmax())
    winner = int(alive[best])
    return Registration(
        poses=motion.poses[best],
        start=starts[winner],
        cameras=tuple(motion[best : best + 1].camera(shot.camera) for shot in shots),
        similarity=float(at.value[best]),
        terms=dict(zip(TERMS, at.terms[best].tolist(), strict=True)),
        covariance=twist_covariance(objective, motion[best : best + 1], at.curvature[best]),
        pivot=pivots,
        candidates=tuple(ended[start] for start in range(len(starts))),
        history=trace.of(winner),
        converged=bool(done[best]),
        seconds=time.perf_counter() - begun,
    )


def best_distinct(motion: Motion, value: Tensor, *, apart: float = 2.0, reach: float = 100.0) -> Tensor:
    """The candidates by falling value, without those that ended where a better one did.

    Two are the same if points up to `reach` [mm] from each pivot are seen at most `apart` [mm] apart on average.
    """
    offsets = reach * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    points = motion.pivots[:, None] + offsets
    order = value.argsort(descending=True)
    seen = seen_points(motion.poses, points[:, None]).flatten(1, 3)
    return order[distinct(seen[order], apart, mean_distance)]


def _checked(starts: Tensor, views: int) -> Tensor:
    if starts.ndim == 2:
        starts = starts[None]
    if starts.ndim == 3 and views == 1:
        starts = starts[:, None]
    if starts.ndim != 4 or starts.shape[1:] != (views, 4, 4) or len(starts) == 0:
        raise InputError(f"starts must be (S, {views}, 4, 4) for {views} X-rays, got shape {tuple(starts.shape)}.")
    check_pose(starts.reshape(-1, 4, 4), name="starts")
    return starts.double()


def _objective(
    shots: Sequence[Shot],
    bodies: Sequence[Structure],
    motion: Motion,
    scale: int,
    settings: RegistrationSettings,
    last: bool,
) -> Objective:
    targets, voxel = [], float("inf")
    for view, shot in enumerate(shots):
        image, valid, camera = shrunk_shot(shot, scale)
        poses = motion.poses[:, :, view]
        if settings.window:
            window = anatomy_window([body.volume for body in bodies], camera, poses)
            if bool(window.of(valid).any()):
                image, valid, camera = window.of(image), window.of(valid), window.camera(camera)
        targets.append(TargetImage.of(image, valid, camera, floor=settings.floor))
        voxel = min(voxel, settings.voxel * footprint(camera, poses[:, 0], motion.pivots[0]))
    shrunk = tuple(body.with_voxels(voxel) for body in bodies)
    samples = max(samples_through(volume) for volume in shrunk)
    intrinsics = settings.intrinsics if last else ()
    return Objective(tuple(targets), shrunk, motion.pivots, samples, intrinsics, settings.weights)


def _climb(
    objective: Objective,
    motion: Motion,
    stage: int,
    settings: RegistrationSettings,
    watch: Callable[[Motion, Tensor], None],
) -> tuple[Motion, Evaluation, Tensor]:
    iterations = settings.iterations if isinstance(settings.iterations, int) else settings.iterations[stage]
    if settings.optimizer == "adam":
        return ascend(objective, motion, iterations=iterations, settings=settings.adam, report=watch)
    how = settings.levenberg_marquardt
    return maximise(objective, motion, iterations=iterations, settings=how, report=watch)


@dataclass(frozen=True, eq=False)
class _Trace:
    """All candidates after every step, and who wants to hear of the best."""

    begun: float
    report: Callable[[RefinementStep], None] | None
    moments: list[tuple[RefinementStep, Motion, Tensor, Tensor]] = field(default_factory=list)

    def watcher(self, stage: int, scale: int, alive: Tensor) -> Callable[[Motion, Tensor], None]:
        """What an optimiser calls after every step of the candidates `alive` (numbers of starts)."""

        def watch(state: Motion, value: Tensor) -> None:
            best = int(value.argmax())
            step = RefinementStep(stage, scale, state.poses[best], float(value[best]), time.perf_counter() - self.begun)
            self.moments.append((step, state, value, alive))
            if self.report is not None:
                self.report(step)

        return watch

    def of(self, winner: int) -> tuple[RefinementStep, ...]:
        """The steps of one start, as far as it was followed."""
        steps = []
        for step, state, value, alive in self.moments:
            place = (alive == winner).nonzero()
            if len(place):
                i = int(place[0, 0])
                steps.append(replace(step, poses=state.poses[i], similarity=float(value[i])))
        return tuple(steps)
