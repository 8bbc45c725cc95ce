"""A matcher's training that takes seconds: small procedural knees seen from all around, a network of one layer.

python corr_training.py OUT JOB [--kill N] [--resume] [--devices N] ...
"""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from xraykit.corr.data.settings import ImageChangeSettings
from xraykit.corr.matching import train_matcher
from xraykit.corr.train.settings import (
    MatcherDataSettings,
    MatcherLengthSettings,
    MatcherNetworkSettings,
    MatcherSettings,
    MatchObjectiveSettings,
)
from xraykit.render.dataset import (
    CTPatients,
    DatasetConfig,
    ImageSettings,
    PatientSources,
    PhysicsSettings,
    ProceduralPatients,
    ToolSettings,
    ViewSettings,
    make_dataset,
)
from xraykit.render.training import RunSettings, TrainingRun

SIZE = 64


def write_tissue_job(
    folder: Path,
    *,
    patients: int = 6,
    views: int = 3,
    knees: bool = False,
    tissue: int = 24,
    split: dict[str, float] | None = None,
) -> Path:
    """A data set job of blocks of tissue, or of procedural knees, seen from all around; its folder."""
    from support.dataset_jobs import in_this_process, write_ct

    generated, ct = ProceduralPatients(), CTPatients()
    if knees:
        generated = ProceduralPatients(patients, {"knee": 1.0}, size=48)
    else:
        (folder / "ct").mkdir(parents=True)
        for number in range(patients):
            write_ct(folder / "ct", f"p{number}", size=number)
        ct = CTPatients(folder / "ct", "*_ct.nii.gz", "{name}.seg.nii.gz")
    config = DatasetConfig(
        seed=3,
        patients=PatientSources(procedural=generated, ct=ct),
        views=ViewSettings(per_patient=views, random=0.0, orbit=1.0),
        tools=ToolSettings(share=0.0),
        physics=PhysicsSettings(model="drr"),
        image=ImageSettings(size=(SIZE, SIZE), line_integrals="float16", tissue=tissue),
        split=split or {"train": 4.0, "val": 2.0},
        images_per_shard=patients * views,
    )
    with in_this_process():
        make_dataset(config, folder / "job")
    return folder / "job"


def quick_settings(out: Path, *sources: Path | str, **changes: Any) -> MatcherSettings:
    """Settings of four batches; `changes` are fields of the groups by their names: `data={"size": 32}`."""
    settings = MatcherSettings(
        data=MatcherDataSettings(tuple(map(str, sources)), size=32, held_out_pairs=6, prior_pairs=8, angles=(5, 175)),
        network=MatcherNetworkSettings("mini", layers=1, dimension=32, heads=4),
        changes=ImageChangeSettings(),
        objective=MatchObjectiveSettings(),
        length=MatcherLengthSettings(steps=4, batch=4, warmup=2, validate_every=2, rate=3e-3),
        run=RunSettings(output=out, device="cpu", precision="32-true", workers=0),
    )
    groups = {name: replace(getattr(settings, name), **values) for name, values in changes.items()}
    return replace(settings, **groups)


def run(settings: MatcherSettings, **options: Any) -> TrainingRun:
    return train_matcher(settings, **options)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("job", type=Path)
    parser.add_argument("--kill", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--average", type=float, default=0.9)
    asked = parser.parse_args()

    def report(what: str, done: int, total: int) -> None:
        if what == "batches" and done == asked.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    strategy = "auto" if asked.devices == 1 else "ddp"
    more = {"resume": asked.resume, "devices": asked.devices, "strategy": strategy}
    changes = {"run": more, "objective": {"average": asked.average}, "length": {"batch": asked.batch}}
    train_matcher(quick_settings(asked.out, asked.job, **changes), report=report)


if __name__ == "__main__":
    main()
