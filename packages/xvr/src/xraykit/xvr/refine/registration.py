"""Registration: from X-rays, volumes and candidate starts to the pose that makes them most alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume
from xraykit.render.geometry import check_pose, differentiating

from ..xray.shot import Shot
from .adam import ascend
from .climb_settings import RegistrationSettings
from .competition import Contenders
from .covariance import parameter_covariance, twist_blocks
from .levenberg_marquardt import maximise
from .motion import Motion, corrections, lens_between
from .objective import Evaluation, Objective
from .objective_at import objectives_at
from .scatter import usual_ceiling
from .structure import Structure

TERMS = ("ncc", "patch_ncc", "gradient_ncc")
COARSE = 10.0  # mm: voxels in which attenuation is looked over
RELATED = 0.8  # correlations, edges counting half: what DRR shows enough of an X-ray to tell the scatter in it


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
    """Where one start ended: poses (K, V, 4, 4); `scale` is the last one it took part in.

    `similarity` is that of the climb, in a window that all candidates of this scale shared.
    """

    poses: Tensor
    similarity: float
    converged: bool
    scale: int


@dataclass(frozen=True, eq=False)
class Registration:
    """What `register` found.

    Args:
        poses: (K, V, 4, 4) float64, camera to world of structure k's volume for view v; the best iterate.
        start: (V, 4, 4), the start that won; (K, V, 4, 4) where each structure had its own.
        cameras: One per view, refined where asked, at the X-ray's own resolution.
        similarity: The objective at the finest scale, in [-1, 1], where the structures lie at these poses: it depends
            on the answer alone, so that answers from different starts can be compared.
        terms: Its three parts by name.
        covariance: (K, 6, 6) of the left twist (w [rad], v [mm]) about pivot[k]; see covariance.py.
        pivot: (K, 3) world RAS [mm].
        candidates: One per start, in their order.
        history: The climb of the winner.
        converged: Whether the last scale ended before its iterations did.
        seconds: Wall-clock time.
        lens_covariance: (n, n) of the intrinsics that were refined, (sdd, c_x, c_y) or some of them, [mm].
        view_covariance: (V, K, 6, 6) as `covariance`, where each view has a pose that fits it alone; `covariance` is
            then that of the view that is known least. None where all views share one motion.
        scatter: What share of the open beam reaches all pixels of each view beside the primary, as far as greys show it
            (with what hardening does to them), (V,); 0 where it was not looked for.
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
    lens_covariance: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.float64))
    view_covariance: Tensor | None = None
    scatter: Tensor = field(default_factory=lambda: torch.zeros(1, dtype=torch.float64))


@differentiating
def register_structures(
    shots: Shot | Sequence[Shot],
    structures: Volume | Structure | Sequence[Volume | Structure],
    starts: Tensor,
    settings: RegistrationSettings | None = None,
    *,
    scatter: Tensor | None = None,
    report: Callable[[RefinementStep], None] | None = None,
) -> Registration:
    """Find the pose of X-rays relative to a volume (or of several rigid structures) by making DRRs like them.

    Maximises the mean over views of `weights` . (NCC, patch NCC, gradient NCC) between each X-ray and the sum of the
    structures' line integrals, coarse to fine, from all starts at once; after each scale the best few go on, and beside
    them, unless one is beyond chance, the start that is most alike as it was given, so that no coarse scale can lose a
    start that was right.

    Args:
        shots: The X-rays of one patient, V of them; their relative geometry, as given by the starts, is kept.
        structures: K rigid bodies (volumes that are zero outside them); one volume is the whole patient. An `Structure`
            keeps what was prepared for the next X-ray.
        starts: Camera to world, (S, V, 4, 4), the same for every structure, or (S, K, V, 4, 4); (S, 4, 4) and (4, 4)
            do for one view.
        settings: How to climb; None is all defaults.
        scatter: What an earlier registration found of it, (V,), to begin with; None is what is usual.
        report: Called after every step with the best candidate so far; an exception it raises ends the work.

    Returns:
        The best pose with everything needed to judge it.

    Raises:
        InputError: Shapes that do not fit, or an X-ray in which nothing can be compared, at the last scale either.
        GeometryError: A start is no rigid motion.
    """
    begun, settings = time.perf_counter(), settings or RegistrationSettings()
    shots = (shots,) if isinstance(shots, Shot) else tuple(shots)
    structures = (structures,) if isinstance(structures, Volume | Structure) else tuple(structures)
    starts = _checked(starts, len(shots), len(structures))
    bodies = tuple(body if isinstance(body, Structure) else Structure.of(body) for body in structures)
    pivots = torch.stack([body.pivot for body in bodies])
    usual, ceilings = expected_ceiling(bodies, settings), math.inf if scatter is None else -scatter.log()
    unmoved = going = Contenders.all_of(Motion.of(starts, pivots, ceilings))
    ended: dict[int, RefinedCandidate] = {}
    trace = _Trace(begun, report)
    motion, at, done, objective = going.motion, None, None, None
    for stage, scale in enumerate(settings.scales):
        last = stage == len(settings.scales) - 1
        intrinsics, ceiling = settings.intrinsics if last else (), usual if going.motion.scattered else None
        choices = _choices(last, scale, shots, bodies, going.motion.with_more(unmoved.motion), settings)
        if not choices:
            continue
        objective, going = going.most_alike([replace(c, intrinsics=intrinsics, ceiling=ceiling) for c in choices])
        if stage:
            going = going.joined_by(unmoved, objective, stage, len(starts))
        elif not last and len(starts) > settings.keep:
            unmoved = unmoved.best(objective.evaluate(unmoved.motion).value, settings.keep)
        if ceiling is None and usual is not None and going.correlation() > RELATED:
            objective, going, unmoved = replace(objective, ceiling=usual), going.under(usual), unmoved.under(usual)
        motion, at, done = _climb(objective, going, stage, settings, trace.watcher(stage, scale, going.lines))
        ends = (RefinedCandidate(motion.poses[i], float(at.value[i]), bool(done[i]), scale) for i in range(len(motion)))
        _note(ended, (going.lines % len(starts)).tolist(), ends)
        going = Contenders(motion, going.lines)
        if not last:
            going = going.best(at.value, max(1, settings.keep >> stage))
    assert at is not None and done is not None and objective is not None  # noqa: S101 - there is at least one scale
    best = int(at.value.argmax())
    line = int(going.lines[best])
    stated = _of_answer(shots, bodies, motion[best : best + 1], objective, settings)
    known = parameter_covariance(objective, motion[best : best + 1], at.curvature[best])
    lens = slice(6 * len(bodies), 6 * len(bodies) + len(corrections(objective.intrinsics)))
    return Registration(
        poses=motion.poses[best],
        start=starts[line % len(starts)],
        cameras=tuple(motion[best : best + 1].camera(shot.camera) for shot in shots),
        similarity=float(stated.value[0]),
        terms=dict(zip(TERMS, stated.terms[0].tolist(), strict=True)),
        covariance=twist_blocks(known, len(bodies)),
        pivot=pivots,
        candidates=tuple(ended[start] for start in range(len(starts))),
        history=trace.of(line),
        converged=bool(done[best]),
        seconds=time.perf_counter() - begun,
        lens_covariance=known[lens, lens],
        scatter=torch.exp(-motion.ceilings[best]),
    )


@differentiating
def similarities(
    shots: Sequence[Shot],
    structures: Sequence[Structure],
    answers: Sequence[Registration],
    settings: RegistrationSettings,
) -> Tensor:
    """How alike X-rays and renderings are at several answers, (N,), at the last scale and in one window for all.

    What the answers state themselves is measured where each has its structures, so that one which shows less of them
    may seem better.
    """
    pivots = torch.stack([body.pivot for body in structures])
    poses = torch.stack([answer.poses for answer in answers])
    motion = Motion.of(poses, pivots, -torch.stack([answer.scatter for answer in answers]).log())
    first = answers[0].cameras
    motion = replace(motion, lens=torch.stack([lens_between(first[0], answer.cameras[0]) for answer in answers]))
    ceiling = expected_ceiling(structures, settings) if motion.scattered else None
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, first, strict=True)]
    choices = objectives_at(settings.scales[-1], seen, structures, motion, settings)
    return Contenders.all_of(motion).most_alike([replace(one, ceiling=ceiling) for one in choices])[1].known.value


def _checked(starts: Tensor, views: int, structures: int) -> Tensor:
    if starts.ndim == 2:
        starts = starts[None]
    if starts.ndim == 3 and views == 1:
        starts = starts[:, None]
    if starts.shape[1:] not in ((views, 4, 4), (structures, views, 4, 4)) or len(starts) == 0:
        raise InputError(f"starts must be (S, {views}, 4, 4) for {views} X-rays, got shape {tuple(starts.shape)}.")
    check_pose(starts.reshape(-1, 4, 4), name="starts")
    return starts.double()


def _note(ended: dict[int, RefinedCandidate], starts: Sequence[int], ends: Iterable[RefinedCandidate]) -> None:
    """Keep of each start the end that took part in the finest scale, and of several the most alike."""
    for start, found in zip(starts, ends, strict=True):
        rival = ended.get(start)
        if rival is None or rival.scale < found.scale or rival.similarity < found.similarity:
            ended[start] = found


def _of_answer(
    shots: Sequence[Shot],
    bodies: Sequence[Structure],
    answer: Motion,
    objective: Objective,
    settings: RegistrationSettings,
) -> Evaluation:
    """What the last scale says of an answer in a window of its own, with the same unknowns as that objective."""
    choices = objectives_at(settings.scales[-1], shots, bodies, answer, settings)
    alike = [replace(one, intrinsics=objective.intrinsics, ceiling=objective.ceiling) for one in choices]
    return Contenders.all_of(answer).most_alike(alike)[1].known


def _choices(last: bool, scale: int, *seen: Any) -> tuple[Objective, ...]:
    """The objectives of a scale; none where a field is too narrow for its pixels and a finer scale comes."""
    try:
        return objectives_at(scale, *seen)
    except InputError:
        if last:
            raise
        return ()


def expected_ceiling(bodies: Sequence[Structure], settings: RegistrationSettings) -> float | None:
    """What to expect of scatter; none for first-order ascent, as published, and for self-similarity."""
    if settings.optimizer != "levenberg_marquardt" or settings.similarity != "correlation":
        return None
    return usual_ceiling([body.with_voxels(COARSE) for body in bodies])


def _climb(
    objective: Objective,
    going: Contenders,
    stage: int,
    settings: RegistrationSettings,
    watch: Callable[[Motion, Tensor], None],
) -> tuple[Motion, Evaluation, Tensor]:
    iterations = settings.iterations if isinstance(settings.iterations, int) else settings.iterations[stage]
    if settings.optimizer == "adam":
        return ascend(objective, going.motion, iterations=iterations, settings=settings.adam, report=watch)
    how = settings.levenberg_marquardt.along_valleys() if objective.intrinsics else settings.levenberg_marquardt
    return maximise(objective, going.motion, iterations=iterations, settings=how, at=going.at, report=watch)


@dataclass(frozen=True, eq=False)
class _Trace:
    """All candidates after every step, and who wants to hear of the best."""

    begun: float
    report: Callable[[RefinementStep], None] | None
    moments: list[tuple[RefinementStep, Motion, Tensor, Tensor]] = field(default_factory=list)

    def watcher(self, stage: int, scale: int, lines: Tensor) -> Callable[[Motion, Tensor], None]:
        """What an optimiser calls after every step of the candidates of these lines (see `Contenders`)."""

        def watch(state: Motion, value: Tensor) -> None:
            best = int(value.argmax())
            step = RefinementStep(stage, scale, state.poses[best], float(value[best]), time.perf_counter() - self.begun)
            self.moments.append((step, state, value, lines))
            if self.report is not None:
                self.report(step)

        return watch

    def of(self, line: int) -> tuple[RefinementStep, ...]:
        """The steps of one line."""
        steps = []
        for step, state, value, lines in self.moments:
            place = (lines == line).nonzero()
            if len(place):
                i = int(place[0, 0])
                steps.append(replace(step, poses=state.poses[i], similarity=float(value[i])))
        return tuple(steps)
