"""A training that takes a second: a line with a noisy target, dropout, and a teacher that follows it.

python toy_training.py OUT [--kill N] [--resume] [NAME=VALUE ...]
"""

from __future__ import annotations

import argparse
import copy
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from xraykit.render.training import LengthSettings, RunSettings, TrainingTask, fit, prepare_folder


@dataclass(frozen=True)
class ToySettings:
    run: RunSettings
    length: LengthSettings = field(default_factory=LengthSettings)
    noise: float = 0.1


class ToyTask(TrainingTask):
    def __init__(self, settings: ToySettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.run.seed)
        self.student = nn.Linear(3, 1)
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.module = nn.ModuleDict({"student": self.student, "teacher": self.teacher})
        self.seen: list[Any] = []
        self.drawn = 0.0

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        self.seen.append(("open", rank, ranks, str(device)))

    def step(self, batch: int, progress: float) -> Tensor:
        x = torch.randn(self.settings.length.batch or 4, 3)
        self.drawn += float(x.sum())
        y = x.sum(1, keepdim=True) + self.settings.noise * torch.randn(len(x), 1)
        loss = (nn.functional.dropout(self.student(x), 0.1) - y).square().mean()
        self.terms = {"distance": (self.teacher(x) - y).abs().mean().detach()}
        self.seen.append(("step", batch, progress))
        return loss

    def optimizer(self) -> torch.optim.Optimizer:
        slow = {"params": [self.student.bias], "rate_scale": 0.5}
        return torch.optim.AdamW([{"params": [self.student.weight]}, slow], lr=1.0)

    def rate(self, progress: float, step: int) -> float:
        return self.settings.length.rate * (1 - progress)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        self.seen.append(("before", step, [group["lr"] for group in optimizer.param_groups]))

    def after_step(self, progress: float) -> None:
        for mine, its in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            mine.lerp_(its.detach(), 0.1)
        self.seen.append(("after", self.student.bias.item()))

    def validate(self) -> dict[str, float]:
        return {"off": float((self.teacher.weight - 1).norm())}

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        torch.save({"weights": self.module.state_dict(), "batches": training["batches"]}, folder / "toy.pt")

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.drawn = state["drawn"]


def settings_of(out: Path, *, resume: bool = False, noise: float = 0.1, **length: Any) -> ToySettings:
    run = RunSettings(output=out, resume=resume, device="cpu", precision="32-true", workers=0)
    return ToySettings(run, LengthSettings(**({"steps": 12, "batch": 4, "rate": 0.1} | length)), noise)


def train(settings: ToySettings, **options: Any) -> tuple[ToyTask, Any]:
    prepare_folder(settings.run, settings)
    task = ToyTask(settings)
    return task, fit(task, settings.run, settings.length, **options)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--kill", type=int, default=0)
    asked = parser.parse_args()

    def report(done: int, total: int) -> None:
        if done == asked.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    train(settings_of(asked.out, accumulate=2, validate_every=3, save_every=4), report=report)


if __name__ == "__main__":
    main()
