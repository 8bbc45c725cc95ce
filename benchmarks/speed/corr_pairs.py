"""What pairs of changed views with their true correspondence cost, by size, mode and workers.

python -m benchmarks.speed.corr_pairs            # about five minutes
python -m benchmarks.speed.corr_pairs --quick    # about one; its numbers mean little
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from xraykit.corr.data import ImageChangeSettings, PairBatches, PairSettings, PairStore, prepare_pairs
from xraykit.corr.data.pair_batches import true_matrices
from xraykit.render.dataset import (
    DatasetConfig,
    ImageSettings,
    PatientSources,
    PhysicsSettings,
    ProceduralPatients,
    ToolSettings,
    ViewSettings,
    make_dataset,
)

from ..common.result import RESULTS, Start, save

PREPARED = {256: 333, 128: 166}  # [px]: edge of stored images for a network's
REGIONS = ("thorax", "abdomen_pelvis", "knee", "wrist_hand")
BATCH = 8


def main(arguments: list[str] | None = None) -> None:
    """Both sizes, the three modes, one process and two workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path, default=RESULTS / "corr_pairs--cpu.json")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows = Start.now(), []
    sizes, batches = ((128,), 3) if asked.quick else ((256, 128), 16)
    with tempfile.TemporaryDirectory() as folder:
        job = drawn(Path(folder) / "job", size=PREPARED[max(sizes)])
        for size in sizes:
            store = prepare_pairs([job], Path(folder) / f"store{size}", size=PREPARED[size])
            for mode in ("share", "hard", "volume"):
                settings = PairSettings(size=size, grid=16, mode=mode)
                for workers in (0,) if asked.quick or mode != "share" else (0, 1, 2):
                    rows.append(row(store, settings, workers, batches))
                    print(*(f"{key}={value}" for key, value in rows[-1].items() if key != "all_ms_each"), flush=True)
    scene = {"name": "procedural patients", "regions": list(REGIONS), "cells": 64, "grid": 16, "batch": BATCH}
    mode = "quick" if asked.quick else "full"
    save(start.result("corr_pairs", rows, mode=mode, threads={"torch": 1}, scene=scene), asked.output)
    print(f"wrote {asked.output}")


def drawn(folder: Path, *, size: int) -> Path:
    """A data set of patients of several regions, each seen six times from all around."""
    config = DatasetConfig(
        patients=PatientSources(ProceduralPatients(len(REGIONS), dict.fromkeys(REGIONS, 1.0), 80)),
        views=ViewSettings(per_patient=6, random=0.0, orbit=1.0),
        tools=ToolSettings(share=0.0),
        physics=PhysicsSettings(model="drr", samples=100),
        labels=("sternum",),
        image=ImageSettings((size, size), tissue=64),
        split={"train": 1.0},
    )
    make_dataset(config, folder, workers=1)
    return folder


def row(store: PairStore, settings: PairSettings, workers: int, batches: int) -> dict[str, Any]:
    """Batches of `PairBatches`, start of the workers left out; in one process the truth by itself as well."""
    source = PairBatches(store, settings, batch=BATCH, seed=0, changes=ImageChangeSettings(), workers=workers)
    ahead = 2 * workers + 1  # batches that were made while nobody looked
    made = [source.batch(number) for number in range(ahead)]
    begun, used, each = time.perf_counter(), time.process_time(), []
    for number in range(ahead, ahead + batches):
        last = time.process_time()
        made.append(source.batch(number))
        each.append(1e3 * (time.process_time() - last) / BATCH)
    wall, used = time.perf_counter() - begun, time.process_time() - used
    source.close()
    related = torch.cat([batch.truth[batch.related] for batch in made])
    return {
        "size": settings.size, "stored": store.size, "grid": settings.grid, "mode": settings.mode, "workers": workers,
        "pairs": batches * BATCH, "processor_ms_each": None if workers else round(median(each), 2),
        "truth_ms_each": None if workers else round(truth_ms(store, settings, made), 2),
        "all_ms_each": [round(one, 2) for one in each], "pairs_per_s": round(batches * BATCH / wall, 1),
        "density": round(float((related > 0).float().mean()), 4),
    }  # fmt: skip


def truth_ms(store: PairStore, settings: PairSettings, made: list[Any]) -> float:
    """Processor time of the correspondence of a related pair alone."""
    taken = []
    for batch in made[-4:]:
        for n, related in enumerate(batch.related.tolist()):
            if related:
                patient, last = store.patients.index(batch.patients[n]), time.process_time()
                true_matrices(store, settings, patient, batch.projections[n])
                taken.append(1e3 * (time.process_time() - last))
    return median(taken)


if __name__ == "__main__":
    main()
