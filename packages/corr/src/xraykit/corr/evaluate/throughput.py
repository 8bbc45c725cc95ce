"""How long a training step and a match take: measured first, so that all arms can have the same number of steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError

from ..matching import make_network
from ..network.matcher import MatchNetwork
from ..train.matcher_task import MatcherTask
from ..train.settings import MatcherSettings
from ..train.training_pairs import TrainingPairs

WARM, MEASURED = 2, 6
"""Steps before the measurement, and of it"""
VALIDATIONS = 5
"""Of each training"""
SPARE = 0.95
"""Share of the time that is planned for"""


@dataclass(frozen=True)
class ArmTime:
    """Seconds of an arm.

    Args:
        step: A batch with its making, gradient and optimiser step.
        validation: A look at the held-out pairs.
    """

    step: float
    validation: float


def measure_arm(settings: MatcherSettings, data: TrainingPairs) -> ArmTime:
    """Seconds of a step and of a validation of one arm; nothing is kept.

    Args:
        settings: Complete, of the arm.
        data: Of the training.
    """
    device = torch.device(settings.run.device)
    task = MatcherTask(make_network(settings).to(device), settings, data)
    task.open(0, 1, device)
    optimizer = task.optimizer()
    low = "bf16" in str(settings.run.precision)
    begun = 0.0
    try:
        for number in range(WARM + MEASURED):
            if number == WARM:
                _wait(device)
                begun = time.monotonic()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
                loss = task.step(number, 0.0)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        _wait(device)
        step = (time.monotonic() - begun) / MEASURED
        begun = time.monotonic()
        task.validate()
        return ArmTime(step, time.monotonic() - begun)
    finally:
        task.batches.close()


def common_steps(times: Mapping[str, ArmTime], seconds: float, *, repeats: int = 1, tested: float = 1.0) -> int:
    """How many batches every arm can have.

        steps = (0.95 T - R sum_a (V + tested) v_a) / (R sum_a s_a)

    Args:
        times: s and v of each arm.
        seconds: T, what is left for all of them.
        repeats: R, trainings of each.
        tested: How many times longer the test is than a validation.

    Raises:
        InputError: The time does not suffice for one step of each.
    """
    fixed = repeats * sum((VALIDATIONS + 1 + tested) * each.validation for each in times.values())
    each_step = repeats * sum(each.step for each in times.values())
    steps = int((SPARE * seconds - fixed) / each_step)
    if steps < 1:
        needed = (fixed + each_step) / SPARE / 60
        raise InputError(
            f"--minutes must suffice for a batch of each row after the measurements, got {seconds / 60:.1f} left of "
            f"them where {needed:.1f} are needed; give more, or fewer --arms."
        )
    return steps


def pairs_per_second(network: MatchNetwork, images: Tensor, device: torch.device, *, rounds: int = 3) -> float:
    """Pairs that a matcher matches in a second, in evaluation mode, as many at a time as `images` holds.

    Args:
        network: On `device`; left in evaluation mode.
        images: (B, 2, 1, S, S).
        device: Where to compute.
        rounds: How often; the fastest counts.
    """
    network.eval()
    images, best = images.to(device), float("inf")
    with torch.inference_mode():
        network(images)
        for _ in range(rounds):
            _wait(device)
            begun = time.monotonic()
            network(images)
            _wait(device)
            best = min(best, time.monotonic() - begun)
    return len(images) / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
