"""How fast samples come out of shards: image and boxes, with and without masks, by number of workers.

python -m benchmarks.speed.dataset_reader                # makes 40 images, repeats them to 1,000, reads them
python -m benchmarks.speed.dataset_reader --dataset DIR  # reads a data set that is there
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils.data import default_collate
from xraykit.render import XrayDataset, XrayLoader, make_dataset
from xraykit.render.dataset import DatasetConfig, PatientSources, ProceduralPatients, ViewSettings, XraySample
from xraykit.render.dataset.format.manifest import Manifest, ShardRecord, write_manifest
from xraykit.render.dataset.make.encode import json_bytes
from xraykit.render.dataset.make.shard import Member, write_shard
from xraykit.render.dataset.read.store import ShardStore
from xraykit.render.dataset.read.tar import RawSample, raw_samples
from xraykit.render.dataset.read.xray_sample import RECORD

from ..common.result import RESULTS, Start, save

BATCH, MOST_BOXES, EACH = 32, 64, 100
REGIMES = [(parts, workers) for parts in (("image",), ("image", "masks")) for workers in (0, 1, 2)]


def main(arguments: list[str] | None = None) -> None:
    """Read the data set a few times in every way, in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, help="folder of a data set; one is made if left out")
    parser.add_argument("--samples", type=int, default=1000, help="of the data set that is made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS / "dataset_reader--cpu.json")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    start = Start.now()
    with tempfile.TemporaryDirectory() as folder:
        source = asked.dataset or repeated(Path(folder), asked.samples)
        rows = measure(source, asked.rounds)
    scene = {"name": "procedural X-rays in shards on local disk", "batch": BATCH, "files": "in the page cache"}
    save(start.result("dataset_reader", rows, threads={"torch": 1}, scene=scene), asked.output)
    print(f"wrote {asked.output}")


def measure(source: Path, rounds: int) -> list[dict[str, Any]]:
    """One row for each regime: the median time for all samples, workers' start included, and samples per second.

    The processor's seconds of all processes are told as well; on a machine that is shared they are the steadier figure.
    """
    taken: dict[tuple[tuple[str, ...], int], list[tuple[float, float]]] = {regime: [] for regime in REGIMES}
    samples, first = 0, next(iter(XrayDataset(source, parts=("image", "masks"))))
    for _ in range(rounds + 1):
        for regime, times in taken.items():
            wall, processor, samples = one_pass(source, *regime)
            times.append((wall, processor))
    rows = []
    for (parts, workers), times in taken.items():
        wall, processor = (median(column) for column in zip(*times[1:], strict=True))  # the first warms the page cache
        work = "+".join(("boxes", *parts))
        print(f"{work:18} {workers} workers: {samples / wall:6.0f} samples/s, "
              f"{1e3 * processor / samples:.2f} ms of processor each", flush=True)  # fmt: skip
        rows.append(
            {"work": work, "workers": workers, "samples": samples, "height": first.image.shape[1],
             "width": first.image.shape[2], "masks_of_first": len(first.names), "seconds": [t[0] for t in times[1:]],
             "samples_per_s": round(samples / wall, 1), "processor_ms_each": round(1e3 * processor / samples, 3)}
        )  # fmt: skip
    return rows


def one_pass(source: Path, parts: Any, workers: int) -> tuple[float, float, int]:
    """Read all samples as batches of tensors: seconds on the clock, seconds of processor, and how many they were."""
    data = XrayDataset(source, parts=parts, transform=partial(tensors, masks="masks" in parts))
    loader = XrayLoader(data, batch_size=BATCH, num_workers=workers, collate_fn=default_collate)
    begun, used = time.perf_counter(), processor_seconds()
    count = sum(len(batch["image"]) for batch in loader)
    return time.perf_counter() - begun, processor_seconds() - used, count


def processor_seconds() -> float:
    """Of this process and of its workers that have ended."""
    return sum(os.times()[:4])


def tensors(sample: XraySample, *, masks: bool) -> dict[str, torch.Tensor]:
    """What a detector would be trained on: the image, up to 64 boxes, and the union of the masks."""
    boxes = torch.zeros(MOST_BOXES, 4)
    boxes[: len(sample.boxes)] = sample.boxes[:MOST_BOXES]
    found = {"image": sample.image, "boxes": boxes}
    return found | {"mask": sample.masks.any(dim=0)} if masks else found


def repeated(folder: Path, samples: int) -> Path:
    """A data set of 40 images whose samples come again under new keys until there are enough."""
    patients = PatientSources(ProceduralPatients(count=4, size=96))
    config = DatasetConfig(patients=patients, views=ViewSettings(per_patient=10))
    made = make_dataset(config, folder / "made", workers=2)
    store = ShardStore(str(folder / "made"))
    originals: list[RawSample] = []
    for shard in made.shards:
        with store.open(shard.name) as (file, size):
            originals += raw_samples(file, size, where=shard.name)
    target, shards = folder / "repeated", []
    target.mkdir()
    for index, first in enumerate(range(0, samples, EACH)):
        numbers = range(first, min(first + EACH, samples))
        name = f"train-{index:06d}.tar"
        written = write_shard(target / name, renamed(originals, numbers))
        shards.append(ShardRecord(name, "train", written.sha256, written.bytes, written.samples, tuple(numbers), ()))
    write_manifest(target, Manifest(made.plan.config_sha256, {}, True, tuple(shards)))
    return target


def renamed(originals: list[RawSample], numbers: range) -> Iterator[Member]:
    """Members of sample n under the key n."""
    for n in numbers:
        members, key = dict(originals[n % len(originals)].members), f"{n:06d}_0000"
        members[RECORD] = json_bytes(json.loads(members[RECORD]) | {"key": key})
        yield from ((f"{key}.{name}", members[name]) for name in sorted(members))


if __name__ == "__main__":
    main()
