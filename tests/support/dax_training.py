"""A pre-training that takes seconds: small discs and bars, a transformer of two blocks' width, 32 px crops.

python dax_training.py OUT IMAGES [--kill N] [--resume] [--devices N] ...
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from xraykit.dax.data import MultiCropSettings, PreprocessSettings
from xraykit.dax.pretraining import pretrain
from xraykit.dax.train.settings import (
    HeadSettings,
    ObjectiveSettings,
    OptimizerSettings,
    PretrainedNetworkSettings,
    PretrainingDataSettings,
    PretrainingLengthSettings,
    PretrainSettings,
)
from xraykit.render.training import RunSettings, TrainingRun

EDGE = 48


def write_images(folder: Path, count: int = 24, *, held_out: int = 8, seed: int = 0) -> Path:
    """Raw 16-bit frames of discs and of bars with a list of them; `held_out` have the split val. Returns the list."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    v, u = np.mgrid[:EDGE, :EDGE] + 0.5
    rows = []
    for number in range(count):
        x, y, size = (*draw.uniform(12, 36, 2).tolist(), draw.uniform(5, 9))
        disc = (u - x) ** 2 + (v - y) ** 2 < size**2 if number % 2 else abs(u - x) < size / 2
        intensity = 40_000 * np.exp(-1.5 * disc - 0.5 * v / EDGE) * draw.uniform(0.97, 1.03, (EDGE, EDGE))
        name = f"{number:03d}.tiff"
        Image.fromarray(intensity.astype(np.uint16)).save(folder / name)
        split = "val" if number >= count - held_out else "train"
        rows.append((name, f"p{number // 2}", ("bar", "disc")[number % 2], split, "intensity"))
    with (folder / "list.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "patient", "region", "split", "polarity"), *rows])
    return folder / "list.csv"


def quick_settings(out: Path, sources: Path | str, **changes: Any) -> PretrainSettings:
    """Settings of four batches; `changes` are fields of the groups by their names: `head={"outputs": 8}`."""
    settings = PretrainSettings(
        data=PretrainingDataSettings((str(sources),), longest=EDGE),
        network=PretrainedNetworkSettings("vit_mini16", drop_path=0.1),
        preprocess=PreprocessSettings(size=32),
        crops=MultiCropSettings(global_size=32, local_size=16, local_crops=2),
        head=HeadSettings(outputs=32, hidden=16, bottleneck=8, batch_norm=False, freeze_last_layer=0.0),
        objective=ObjectiveSettings(),
        optimizer=OptimizerSettings(),
        length=PretrainingLengthSettings(steps=4, batch=4, warmup=2, validate_every=2, rate=0.01),
        run=RunSettings(output=out, device="cpu", precision="32-true", workers=0),
    )
    groups = {name: replace(getattr(settings, name), **values) for name, values in changes.items()}
    return replace(settings, **groups)


def run(settings: PretrainSettings, **options: Any) -> TrainingRun:
    return pretrain(settings, **options)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--architecture", default="vit_mini16")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--drop-path", type=float, default=0.1)
    asked = parser.parse_args()

    def report(what: str, done: int, total: int) -> None:
        if what == "batches" and done == asked.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    strategy = "auto" if asked.devices == 1 else "ddp"
    more = {"resume": asked.resume, "devices": asked.devices, "strategy": strategy}
    network = {"architecture": asked.architecture, "drop_path": asked.drop_path}
    changes = {"run": more, "network": network, "length": {"batch": asked.batch}}
    pretrain(quick_settings(asked.out, asked.images, **changes), report=report)


if __name__ == "__main__":
    main()
