"""What it costs to ask: encoding an X-ray, one prompt, twenty prompts, by network.

python -m benchmarks.speed.fluorosam_use                  # shipped, mini and Swin-L; a minute on two cores
python -m benchmarks.speed.fluorosam_use --variants mini  # the small one alone

Random weights but for the network that ships, which takes smaller images than a new mini. A prompt is timed from its
words or points to a mask of the X-ray's own size; the texts are new each time, since features of known texts are
remembered. Works run in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from xraykit.fluorosam import FluoroSam, Prompt, load_network, new_network
from xraykit.fluorosam.prompts import write_texts
from xraykit.fluorosam.vocabulary import all_targets

from ..common.progress import say
from ..common.result import RESULTS, Start, save

SIDES = (900, 1024)
MANY = 20


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.fluorosam_use", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--variants", nargs="+", default=["shipped", "mini", "swin-l"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    rows, ratios = [], []
    for variant in asked.variants:
        found = variant_rows(variant, asked.device, asked.rounds)
        rows += found
        ratios += many_ratios(variant, {row["work"]: row["ms"] for row in found})
    for row in rows:
        say(f"{row['variant']:8} {row['work']:28} {row['ms']:9.1f} ms")
    say("\n".join(str(ratio) for ratio in ratios))
    scene = {"name": f"an X-ray of {SIDES[0]} x {SIDES[1]} px of smooth noise"}
    output = asked.output or RESULTS / f"fluorosam_use--{asked.device}.json"
    threads = {"torch": asked.threads}
    save(start.result("fluorosam_use", rows, device=asked.device, threads=threads, scene=scene, ratios=ratios), output)
    say(f"wrote {output}")


def many_ratios(variant: str, ms: dict[str, float]) -> list[dict[str, Any]]:
    """What many texts cost in multiples of one, with the X-ray's encoding and without."""
    encode, one, many = ms["encode the X-ray"], ms["one text"], ms[f"{MANY} texts"]
    return [
        {"what": f"a new X-ray and its texts, {variant}", "ours": f"{MANY} texts", "other": "one text",
         "ratio": round((encode + many) / (encode + one), 3)},
        {"what": f"texts alone, {variant}", "ours": f"{MANY} texts", "other": "one text",
         "ratio": round(many / one, 3)},
    ]  # fmt: skip


def variant_rows(variant: str, device: str, rounds: int) -> list[dict[str, Any]]:
    """A row for each work of a network; the first round is not counted."""
    network = load_network(variant) if variant == "shipped" else new_network(variant, seed=0)
    sam = FluoroSam(network, device=device, memory=1)
    texts = new_texts()
    works: dict[str, Callable[[int], object]] = {
        "encode the X-ray": lambda number: sam.set_image(noise(number), bone="bright"),
        "one text": lambda number: [each.mask for each in sam.predict_many([Prompt(next(texts))])],
        f"{MANY} texts": lambda number: [
            each.mask for each in sam.predict_many([Prompt(next(texts)) for _ in range(MANY)])
        ],
        "one point": lambda number: sam.predict(points=[[300.0 + number, 400.0]]).mask,
        "a point, box and mask more": lambda number: refined(sam, number),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            work(number)
            if device != "cpu":
                torch.cuda.synchronize()
            if number:
                times[name].append((time.perf_counter() - begun) * 1e3)
    return [
        {"variant": variant, "size": sam.network.config.image_size, "work": name, "ms": round(median(each), 2),
         "all_ms": [round(ms, 2) for ms in each]}
        for name, each in times.items()
    ]  # fmt: skip


def refined(sam: FluoroSam, number: int) -> object:
    """A second click, with a box and the answer to the first; the first is part of the time."""
    first = sam.predict(points=[[300.0 + number, 400.0]])
    second = sam.predict(points=[[300.0 + number, 400.0], [500, 600]], labels=[1, 0], box=[200, 300, 600, 700],
                         mask=first)  # fmt: skip
    return second.mask


def noise(number: int) -> torch.Tensor:
    """Grey values (H, W) that no cache has seen."""
    coarse = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(number))
    return torch.nn.functional.interpolate(coarse, size=SIDES, mode="bicubic")[0, 0]


def new_texts() -> Iterator[str]:
    """Texts of the grammar, none twice."""
    seen: set[str] = set()
    for seed in range(1000):
        for target in all_targets():
            for written in write_texts(target, 2, kind="long", split="train", image_sides=False, seed=seed):
                if written.text not in seen:
                    seen.add(written.text)
                    yield written.text


if __name__ == "__main__":
    main()
