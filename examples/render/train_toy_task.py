"""A new method in 60 lines: what it writes (a `TrainingTask`), and what it gets: run folder, curves, exact resume.

python examples/render/train_toy_task.py OUT           # learns a line from noisy points
python examples/render/train_toy_task.py OUT --resume  # after an interruption
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from xraykit.render.training import (
    LengthSettings,
    RunSettings,
    TrainingRun,
    TrainingTask,
    fit,
    prepare_folder,
    warmup_cosine,
)
from xraykit.render.weights import WeightsKind, save_weights

SLOPE, OFFSET = 3.0, -1.0
KIND = WeightsKind("line", package="xraykit-render")


@dataclass(frozen=True)
class LineSettings:
    """All settings of the method: the two groups that every training has, and its own."""

    run: RunSettings
    length: LengthSettings
    noise: float = 0.1


class LineTask(TrainingTask):
    """y = 3 x - 1, from points with noise."""

    def __init__(self, settings: LineSettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.run.seed)
        self.module = nn.Linear(1, 1)

    def step(self, batch: int, progress: float) -> Tensor:
        x = torch.rand(self.settings.length.batch or 32, 1, device=self.module.weight.device)
        y = SLOPE * x + OFFSET + self.settings.noise * torch.randn_like(x)
        return (self.module(x) - y).square().mean()

    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.module.parameters(), lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        return self.settings.length.rate * warmup_cosine(step, progress, warmup=self.settings.length.warmup)

    def validate(self) -> dict[str, float]:
        return {"slope_error": abs(self.module.weight.item() - SLOPE)}

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        save_weights(folder, self.module.state_dict(), KIND, config={}, trained_on=training)


def main(out: Path, quick: bool = False, *, resume: bool = False) -> TrainingRun:
    """Train in the folder `out`; `quick` takes a tenth of the batches."""
    length = LengthSettings(steps=40 if quick else 400, batch=32, warmup=10, rate=0.2)
    settings = LineSettings(RunSettings(output=out, resume=resume, precision="32-true"), length)
    prepare_folder(settings.run, settings)
    return fit(LineTask(settings), settings.run, settings.length)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--resume", action="store_true")
    print(main(**vars(parser.parse_args())).rows[-1])
