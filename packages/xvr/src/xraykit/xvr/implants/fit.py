"""Levenberg-Marquardt on the outlines of an implant, coarse to fine, from several starts at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ..refine.levenberg_marquardt import step_length
from ..refine.motion import Motion
from .objective import RimEvaluation, RimTarget, evaluate
from .silhouette import Outline

SLACK = 0.01  # of merit, that the first step may lose


@dataclass(frozen=True)
class ImplantFit:
    """How to climb at one scale.

    Args:
        iterations: Most steps tried.
        reach: How far along the normals of the rim an edge is looked for [px].
        last_reach: The same for the final polish.
        damping: First lambda, relative to the curvature's diagonal.
        longest: Longest step [mm], measured as the turn times the implant's radius plus the shift.
        tolerance: A step that moves less [mm] ends the climb.
    """

    iterations: int = 15
    reach: int = 8
    last_reach: int = 3
    damping: float = 1e-3
    longest: float = 40.0
    tolerance: float = 0.02


class Climbed(NamedTuple):
    """Poses (B, V, 4, 4), what they are worth, and whether each came to rest (B,)."""

    poses: Tensor
    at: RimEvaluation
    converged: Tensor


def climb(targets: tuple[RimTarget, ...], outline: Outline, poses: Tensor, settings: ImplantFit) -> Climbed:
    """From poses (B, V, 4, 4), camera to mesh, to the best near each; the views keep their places to each other.

    A step solves (A + lambda diag A) x = b with the slope and curvature of `evaluate`. One that lowers the merit is
    not taken and lambda grows tenfold; any other is taken and lambda shrinks. Which points make the outline changes
    from pose to pose, so the merit is a little rough: a loss within a slack that shrinks with every step is taken too,
    and the best pose of the way is returned.
    """
    implant = outline.implant
    here = best = (poses, evaluate(targets, outline, poses, reach=settings.reach))
    damping = torch.full((len(poses),), settings.damping, dtype=torch.float64)
    done = torch.zeros(len(poses), dtype=torch.bool)
    slack = SLACK
    for _ in range(settings.iterations):
        going = (~done).nonzero()[:, 0]
        if len(going) == 0:
            break
        step = _step(here[1], damping, going, settings, implant.radius)
        tried = _moved(here[0][going], implant.pivot, step)
        there = evaluate(targets, outline, tried, reach=settings.reach)
        taken = there.merit > here[1].merit[going] - slack
        here = _replaced(here, going[taken], tried[taken], there, taken)
        better = there.merit > best[1].merit[going]
        best = _replaced(best, going[better], tried[better], there, better)
        damping[going] = torch.where(taken, damping[going] / 5, damping[going] * 10).clamp(1e-6, 1e6)
        done[going] = step_length(step, 1, implant.radius) < settings.tolerance
        slack *= 0.6
    return Climbed(*best, done)


def _replaced(
    old: tuple[Tensor, RimEvaluation], where: Tensor, poses: Tensor, at: RimEvaluation, chosen: Tensor
) -> tuple[Tensor, RimEvaluation]:
    """Poses and their evaluation with some candidates exchanged."""
    fields = (a.index_put((where,), b[chosen]) for a, b in zip(old[1], at, strict=True))
    return old[0].index_put((where,), poses), RimEvaluation(*fields)


def _step(at: RimEvaluation, damping: Tensor, going: Tensor, settings: ImplantFit, radius: float) -> Tensor:
    curvature, slope = at.curvature[going], at.slope[going]
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    least = diagonal.amax(1, keepdim=True).clamp_min(1e-30) * 1e-9
    damped = curvature + torch.diag_embed(diagonal * damping[going, None] + least)
    step = torch.linalg.solve(damped, slope)
    length = step_length(step, 1, radius)
    return step * (settings.longest / length.clamp_min(settings.longest))[:, None]


def _moved(poses: Tensor, pivot: Tensor, step: Tensor) -> Tensor:
    """Poses (B, V, 4, 4) after twists (B, 6) about the pivot, as `Motion.moved` has it."""
    motion = Motion.of(poses[:, None], pivot[None])
    return motion.moved(step).poses[:, 0]
