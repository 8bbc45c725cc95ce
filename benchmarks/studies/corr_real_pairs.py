"""Matches of real pairs of X-rays with known cameras: how much of what is predicted can be true.

uv run --group peers python -m benchmarks.studies.corr_real_pairs XRAYS trained=run/weights random=random:mini \
    --aliked aliked-n16.pth --mean table1/mean.npy

XRAYS holds biplane_knee_implant, biplane_wrist and biplane_knee_beads, or some of them. Matchers are NAME=SOURCE.
Shares in the true epipolar band, and of the patches of an implant's component in the other view's mask, are means over
patches and pairs; frames of one subject are no independent evidence, so there are no intervals. That the cameras of the
implant are right is known to 0.3 px; for wrist and beads the same convention is assumed.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.corr.data import XrayInputSettings, prepare_xray
from xraykit.corr.evaluate import (
    LocalMatcher,
    RealPair,
    RealPairRow,
    local_matcher_is_missing,
    prior_matrices,
    real_pair_rows,
)
from xraykit.corr.predictor import Matcher

from ..common.corr_real import READING, SETS
from ..common.progress import say
from ..common.result import RESULTS, Start, save


def main(arguments: list[str] | None = None) -> None:
    """Run the study."""
    asked = parse(arguments)
    torch.set_num_threads(asked.threads)
    start = Start.now()
    matchers = {name: Matcher(source, device="cpu") for name, source in (m.split("=", 1) for m in asked.matchers)}
    mean = None if asked.mean is None else torch.from_numpy(np.load(asked.mean))
    local = None
    if asked.aliked is not None:
        missing = local_matcher_is_missing()
        local = None if missing else LocalMatcher(asked.aliked)
        say(missing or f"local matcher {asked.aliked.name}")
    rows: list[RealPairRow] = []
    seconds: dict[str, list[float]] = defaultdict(list)
    first = next(iter(matchers.values()))
    for name, pairs in SETS.items():
        if not (asked.xrays / name).is_dir():
            say(f"{name} is not there")
            continue
        for number, pair in enumerate(pairs(asked.xrays / name, first.settings)):
            if asked.limit is not None and number >= asked.limit:
                break
            grid = first.settings.size // first.network.config.stride
            predicted = prior_matrices(pair, grid, mean)
            predicted |= {label: timed(label, seconds, matched, matcher, pair) for label, matcher in matchers.items()}
            if local is not None:
                found = timed("ALIKED", seconds, local_matches, local, pair, grid, asked.aliked_size)
                predicted |= dict(zip(("ALIKED, mutual", "ALIKED, best similarity"), found, strict=True))
            rows += real_pair_rows(pair, predicted)
        say(f"{name} is done")
    table = summed(rows)
    for row in table:
        inside = "" if row["in_mask"] is None else f", {row['in_mask']:.3f} in the mask"
        say(f"{row['subject']:16} {row['part']:8} {row['predictor']:36} {row['in_band']} in the band{inside}")
    scene = {"name": "real biplane X-rays with known cameras", "matchers": described(matchers),
             "mean": asked.mean is not None, "local_matcher_px": asked.aliked_size}  # fmt: skip
    summary = {"seconds_a_pair": {name: float(np.median(each)) for name, each in seconds.items()}}
    result = start.result("corr_real_pairs", table, threads={"torch": asked.threads}, scene=scene, summary=summary)
    save(result, asked.output)
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.corr_real_pairs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("xrays", type=Path, help="folder of the data sets")
    parser.add_argument("matchers", nargs="+", metavar="NAME=SOURCE", help="all of the same size and patch grid")
    parser.add_argument("--aliked", type=Path, help="weights of ALIKED")
    parser.add_argument("--aliked-size", type=int, default=640, help="edge of the images that it sees")
    parser.add_argument("--mean", type=Path, help="mean.npy of an evaluation, for the priors")
    parser.add_argument("--limit", type=int, help="pairs of each set")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS / "corr_real_pairs--cpu.json")
    return parser.parse_args(arguments)


def matched(matcher: Matcher, pair: RealPair) -> Tensor:
    """A matcher's matrix of a pair."""
    return matcher.match(pair.xrays).probability[0]


def local_matches(local: LocalMatcher, pair: RealPair, grid: int, size: int) -> tuple[Tensor, Tensor]:
    """The local matcher's matrices, from larger images of the same squares."""
    settings = XrayInputSettings(size=max(size // grid, 1) * grid)
    images = [prepare_xray(xray.path, settings, reading=READING).image for xray in pair.xrays if xray.path is not None]
    return local.matrices(torch.stack(images), grid)


def timed(name, seconds, work, *values):
    """What a work gives; its wall time is noted."""
    begun = time.perf_counter()
    made = work(*values)
    seconds[name].append(time.perf_counter() - begun)
    return made


def summed(rows: Sequence[RealPairRow]) -> list[dict]:
    """One row for each subject, part and predictor: means over the pairs that were answered."""
    groups: dict[tuple[str, str, str], list[RealPairRow]] = defaultdict(list)
    for row in rows:
        groups[row.subject, row.part, row.predictor].append(row)
    return [
        {"subject": subject, "part": part, "predictor": predictor, "pairs": len(each),
         "patches": sum(row.patches for row in each), "answered": mean_of([row.answered for row in each]),
         "in_band": mean_of([row.in_band for row in each]), "in_mask": mean_of([row.in_mask for row in each]),
         "all_in_band": [None if np.isnan(row.in_band) else round(row.in_band, 4) for row in each]}
        for (subject, part, predictor), each in groups.items()
    ]  # fmt: skip


def mean_of(values: list[float]) -> float | None:
    """Mean of the numbers among them, None without any."""
    known = [value for value in values if not np.isnan(value)]
    return round(float(np.mean(known)), 4) if known else None


def described(matchers: dict[str, Matcher]) -> dict[str, dict]:
    """What each matcher is and learned from."""
    return {
        name: {"module": m.network.config.module, "size": m.settings.size, "trained_on": dict(m.network.trained_on)}
        for name, m in matchers.items()
    }


if __name__ == "__main__":
    main()
