"""Levenberg-Marquardt for a batch of candidates: second-order steps on the analytic Jacobian, best iterate kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .motion import Motion
from .objective import Evaluation, Objective

LINEAR = 0.7  # a quadratic gains half of slope . d at its optimum


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Settings.

    Args:
        damping: First lambda, relative to the curvature's diagonal.
        longest: Longest step [mm], measured as the turn times `lever` plus the shift; longer ones are shortened.
        lever: Millimetres that a radian is worth in step lengths.
        rise: How far a ceiling of scatter may move in a step [nepers]; steps that move one farther are shortened.
        tolerance: A candidate has converged when a step moves it less than this [mm].
        flat: ... or gains, or promises to gain, less than this in similarity.
        tries: ... or this many steps in a row led nowhere.
    """

    damping: float = 1e-3
    longest: float = 40.0
    lever: float = 100.0
    rise: float = 1.0
    tolerance: float = 0.02
    flat: float = 1e-6
    tries: int = 3

    def along_valleys(self) -> LevenbergMarquardt:
        """The same for parameters that can stand for each other, such as the SDD and the distance of the patient.

        Together they lie in a valley so narrow that damping relative to the curvature's diagonal would stop every step
        along it, and so flat that two percent of the SDD gain some 1e-5 in similarity. At its end all else is at rest,
        so that undamped steps are safe.
        """
        return replace(self, damping=min(self.damping, 1e-8), flat=min(self.flat, 2e-7), tries=max(self.tries, 10))


def maximise(
    objective: Objective,
    start: Motion,
    *,
    iterations: int,
    settings: LevenbergMarquardt = LevenbergMarquardt(),
    at: Evaluation | None = None,
    report: Callable[[Motion, Tensor], None] | None = None,
) -> tuple[Motion, Evaluation, Tensor]:
    r"""Climb from every candidate at once.

    Each step solves (H + lambda diag H) d = slope with H from `Evaluation.curvature`; a step that lowers the
    similarity is not taken and lambda grows tenfold, one that raises it is taken and lambda shrinks. H is that of
    images which agree but for noise, and where they do not it may be far too large along a valley: while steps gain
    more than `LINEAR` of slope . d, as they do where the optimum is still far, the next one is twice as long.
    Candidates do not influence each other.

    Args:
        objective: What to maximise.
        start: B candidates.
        iterations: Most steps tried.
        settings: See there.
        at: What the objective says of the start, where that is known.
        report: Called with all candidates and their values after every try.

    Returns:
        The best motion of every candidate, its evaluation, and whether each has converged (B,).
    """
    best, at = start, objective.evaluate(start) if at is None else at
    count = len(start)
    damping = torch.full((count,), settings.damping, dtype=torch.float64)
    done = torch.zeros(count, dtype=torch.bool)
    failed, stretch = torch.zeros(count, dtype=torch.int64), torch.ones(count, dtype=torch.float64)
    for _ in range(iterations):
        going = (~done).nonzero()[:, 0]
        if len(going) == 0:
            break
        step = _shortened(stretch[going, None] * _step(at, damping, going), objective, settings)
        tried = best[going].moved(step, objective.intrinsics)
        there = objective.evaluate(tried)
        gain, slope = there.value - at.value[going], at.slope[going]
        up = gain > 0
        best, at = _accept(best, at, tried, there, going, up)
        damping[going] = torch.where(up, damping[going] / 5, damping[going] * 10).clamp(1e-7, 1e9)
        length = step_length(step, best.poses.shape[1], settings.lever)
        linear = (slope * step).sum(1)
        stretch[going] = torch.where(gain > LINEAR * linear, 2 * stretch[going], (stretch[going] / 2).clamp_min(1))
        promised = linear / 2
        promised = torch.where(up, torch.inf, promised)  # after a step taken, its gain counts
        small = (length < settings.tolerance) | (up & (gain < settings.flat)) | (promised < settings.flat)
        failed[going] = torch.where(up, 0, failed[going] + 1)
        done[going] = small | (failed[going] >= settings.tries)
        if report is not None:
            report(best, at.value)
    return best, at, done


def _step(at: Evaluation, damping: Tensor, going: Tensor) -> Tensor:
    curvature, slope = at.curvature[going], at.slope[going]
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    least = diagonal.amax(1, keepdim=True).clamp_min(1e-30) * 1e-12
    damped = curvature + torch.diag_embed((diagonal * damping[going, None]).clamp_min(least))
    return torch.linalg.lstsq(damped, slope[..., None]).solution[..., 0]


def _shortened(step: Tensor, objective: Objective, settings: LevenbergMarquardt) -> Tensor:
    """The steps (B, P), none beyond what settings allow."""
    length = step_length(step, len(objective.structures), settings.lever)
    share = settings.longest / length.clamp_min(settings.longest)
    if objective.ceiling is not None:
        rise = step[:, -len(objective.targets) :].abs().amax(1)
        share = torch.minimum(share, settings.rise / rise.clamp_min(settings.rise))
    return step * share[:, None]


def step_length(step: Tensor, structures: int, lever: float) -> Tensor:
    """The largest move of any structure, |w| lever + |v| [mm], (B,)."""
    twists = step[:, : 6 * structures].unflatten(1, (-1, 6))
    return (twists[..., :3].norm(dim=-1) * lever + twists[..., 3:].norm(dim=-1)).amax(1)


def _accept(
    best: Motion, at: Evaluation, tried: Motion, there: Evaluation, going: Tensor, up: Tensor
) -> tuple[Motion, Evaluation]:
    chosen = going[up]
    poses, lens, ceilings = best.poses.clone(), best.lens.clone(), best.ceilings.clone()
    poses[chosen], lens[chosen], ceilings[chosen] = tried.poses[up], tried.lens[up], tried.ceilings[up]
    fields = []
    for old, new in zip(at, there, strict=True):
        joined = old.clone()
        joined[chosen] = new[up]
        fields.append(joined)
    return Motion(poses, best.pivots, lens, ceilings), Evaluation(*fields)
