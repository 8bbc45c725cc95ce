"""A network's training that takes seconds: boxes that look like bones, 64 px, a network of a few thousand weights.

python fluorosam_training.py OUT JOB WEIGHTS [--kill N] [--resume] [--devices N] ...
"""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from xraykit.fluorosam.data.segmentation_batches import SegmentationBatch
from xraykit.fluorosam.network import FluoroSamConfig, QuantiserConfig, TextConfig, TrunkConfig, new_network
from xraykit.fluorosam.network.network_weights import save_network
from xraykit.fluorosam.train.settings import (
    PromptRoundSettings,
    SegmentationDataSettings,
    SegmentationLengthSettings,
    SegmentationNetworkSettings,
    SegmentationTrainSettings,
)
from xraykit.fluorosam.training import train_fluorosam
from xraykit.render.training import RunSettings, TrainingRun

TINY = FluoroSamConfig(
    image_size=64,
    grid=8,
    dimension=32,
    neck_width=16,
    neck_blocks=1,
    decoder_width=32,
    heads=2,
    trunk=TrunkConfig("conv", width=8, depths=(1, 1, 1, 1), detail=8),
    text=TextConfig(width=16, layers=1, heads=2, dimension=16, token_width=8, context=48, frozen=False),
    quantiser=QuantiserConfig(codes=16),
)


def tiny_weights(folder: Path, *, seed: int = 0) -> Path:
    """A folder of random weights to start from."""
    save_network(new_network(TINY, seed=seed), folder)
    return folder


def box_batch(*, images: int = 2, prompts: int = 3, absent: bool = True, shown: int = 64, seed: int = 0) -> Any:
    """Bright boxes on noise, one a prompt; the last prompt of the first image asks for what is not there."""
    draw = torch.Generator().manual_seed(seed)
    places = torch.arange(64)
    masks = torch.zeros(images, prompts, 64, 64, dtype=torch.bool)
    pictures = 0.1 * torch.randn(images, 3, 64, 64, generator=draw)
    names = ("left femur", "right femur", "skull", "sternum")[:prompts]
    for b in range(images):
        for p in range(prompts):
            top, left = (int(v) for v in torch.randint(4, 28, (2,), generator=draw))
            left += 16 * (p % 2)
            rows, columns = (places >= top) & (places < top + 20), (places >= left) & (places < left + 12)
            masks[b, p] = rows[:, None] & columns
            pictures[b, p % 3] += masks[b, p].float()
    there = torch.zeros(images, prompts, dtype=torch.bool)
    if absent:
        there[0, -1], masks[0, -1] = True, False
    texts = tuple(names for _ in range(images))
    sizes = torch.tensor([[shown, 64]] * images)
    masks[:, :, shown:] = False
    return SegmentationBatch(pictures.clamp(-1, 1), masks, there, texts, texts, sizes)


def quick_settings(out: Path, job: Path, weights: Path, **changes: Any) -> SegmentationTrainSettings:
    """Settings of four batches; `changes` are fields of the groups by their names: `data={"prompts": 2}`."""
    settings = SegmentationTrainSettings(
        data=SegmentationDataSettings(
            (str(job),), texts_per_target=2, prompts=2, absent=0.2, held_out_images=2, held_out_share=0.3
        ),
        network=SegmentationNetworkSettings(start=str(weights)),
        rounds=PromptRoundSettings(points=2),
        length=SegmentationLengthSettings(steps=4, batch=2, warmup=2, validate_every=2, rate=3e-3),
        run=RunSettings(output=out, device="cpu", precision="32-true", workers=0),
    )
    groups = {name: replace(getattr(settings, name), **values) for name, values in changes.items()}
    return replace(settings, **groups)


def run(settings: SegmentationTrainSettings, **options: Any) -> TrainingRun:
    return train_fluorosam(settings, **options)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("job", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--average", type=float, default=0.9)
    asked = parser.parse_args()

    def report(what: str, done: int, total: int) -> None:
        if what == "batches" and done == asked.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    strategy = "auto" if asked.devices == 1 else "ddp"
    more = {"resume": asked.resume, "devices": asked.devices, "strategy": strategy}
    objective = {"average": asked.average, "renew_every": 2}
    train_fluorosam(quick_settings(asked.out, asked.job, asked.weights, run=more, objective=objective), report=report)


if __name__ == "__main__":
    main()
