"""First-order ascent as published (Adam, rate cut on plateaus), with the best iterate kept: the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .motion import Motion
from .objective import Evaluation, Objective


@dataclass(frozen=True)
class Adam:
    """Settings: rates for turns [rad] and shifts [mm], Adam's constants, and when to cut the rate or stop."""

    turn_rate: float = 0.01
    shift_rate: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    patience: int = 10
    threshold: float = 1e-4
    factor: float = 0.1
    most_cuts: int = 2


def ascend(
    objective: Objective,
    start: Motion,
    *,
    iterations: int,
    settings: Adam = Adam(),
    report: Callable[[Motion, Tensor], None] | None = None,
) -> tuple[Motion, Evaluation, Tensor]:
    """Climb from every candidate at once by Adam steps on the twist; returns what `levenberg_marquardt.maximise` does.

    A candidate's rate is cut by `factor` after `patience` steps without a relative gain of `threshold`; after
    `most_cuts` it has converged.
    """
    here, at = start, objective.evaluate(start)
    best, best_at = here, at
    count, parameters = at.slope.shape
    rate = at.slope.new_full((parameters,), settings.shift_rate)
    for structure in range(start.poses.shape[1]):
        rate[6 * structure : 6 * structure + 3] = settings.turn_rate
    first, second = torch.zeros_like(at.slope), torch.zeros_like(at.slope)
    scale, stale = torch.ones(count, 1, dtype=torch.float64), torch.zeros(count)
    cuts = torch.zeros(count)
    for number in range(1, iterations + 1):
        going = cuts < settings.most_cuts
        if not bool(going.any()):
            break
        a, b = settings.betas
        first, second = a * first + (1 - a) * at.slope, b * second + (1 - b) * at.slope.square()
        step = (first / (1 - a**number)) / ((second / (1 - b**number)).sqrt() + 1e-8) * rate * scale
        here = here.moved(step * going[:, None], objective.intrinsics)
        at = objective.evaluate(here)
        better = at.value > best_at.value
        stale = torch.where(at.value > best_at.value * (1 + settings.threshold), 0.0, stale + 1)
        best, best_at = _choose(best, best_at, here, at, better)
        cut = stale > settings.patience
        scale[cut] *= settings.factor
        cuts, stale = cuts + cut, torch.where(cut, 0.0, stale)
        if report is not None:
            report(best, best_at.value)
    return best, best_at, cuts >= settings.most_cuts


def _choose(
    best: Motion, best_at: Evaluation, here: Motion, at: Evaluation, better: Tensor
) -> tuple[Motion, Evaluation]:
    def pick(old: Tensor, new: Tensor) -> Tensor:
        return torch.where(better.reshape(-1, *([1] * (old.ndim - 1))), new, old)

    motion = replace(best, poses=pick(best.poses, here.poses), lens=pick(best.lens, here.lens))
    return motion, Evaluation(*(pick(old, new) for old, new in zip(best_at, at, strict=True)))
