"""Matching and a training step of matchers: ours against a plain writing of the same network, same weights and pairs.

python -m benchmarks.speed.corr_step                # mini at 128 px and small (ResNet-18) at 256 px; some minutes
python -m benchmarks.speed.corr_step --quick        # small, to see that it runs
python -m benchmarks.speed.corr_step --device cuda  # the paper's network as well

Both see the same images and truth; the loss of the first step must be the same, but for batch normalisation, which the
plain one does by view. "match" is `Matcher.match` of two
X-rays in memory, preparation included.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from xraykit.corr.loss import match_loss
from xraykit.corr.network import NAMED, new_matcher
from xraykit.corr.predictor import Matcher

from ..common.corr_plain import PlainMatcher
from ..common.progress import say
from ..common.result import RESULTS, Start, save

RATE, CLIP = 1e-3, 1.0
PLAIN = "plain, fp32"


class OurStep:
    """The step as `MatcherTask` makes it, without the trainer around it."""

    def __init__(self, network: nn.Module, device: str, *, low: bool) -> None:
        self.network, self.device, self.low = network.to(device).train(), torch.device(device), low
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE)

    def __call__(self, images: Tensor, truth: Tensor) -> float:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.low):
            loss = match_loss(self.network(images), truth[:, None], kind="mse")
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        return float(loss.detach())


class PlainStep:
    """The same step, plainly."""

    def __init__(self, network: nn.Module, device: str) -> None:
        self.network = PlainMatcher(network).to(device).train()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE, foreach=False)

    def __call__(self, images: Tensor, truth: Tensor) -> float:
        loss = ((self.network(images) - truth) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        total = sum(float(p.grad.norm()) ** 2 for p in self.network.parameters() if p.grad is not None) ** 0.5
        for parameter in self.network.parameters():
            if parameter.grad is not None and total > CLIP:
                parameter.grad.mul_(CLIP / (total + 1e-6))
        self.optimizer.step()
        return loss.item()


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.corr_step", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    if asked.quick:
        asked.batch, asked.rounds = 2, 1
    start = Start.now()
    named = ("mini",) if asked.quick else ("mini", "small") if asked.device == "cpu" else ("mini", "small", "paper")
    rows, ratios = [], []
    for variant in named:
        steps = step_rows(variant, asked)
        rows += [*steps, *match_rows(variant, asked)]
        ratios += [
            {"what": f"training step, {variant}", "ours": row["work"], "other": PLAIN,
             "ratio": round(steps[0]["ms"] / row["ms"], 3)}
            for row in steps[1:]
        ]  # fmt: skip
    say("\n".join(str({key: value for key, value in row.items() if not key.startswith("all")}) for row in rows))
    say("\n".join(str(ratio) for ratio in ratios))
    scene = {"name": f"{asked.batch} pairs of smooth noise; what they show has no say in the time"}
    output = asked.output or RESULTS / f"corr_step--{asked.device}.json"
    mode = "quick" if asked.quick else "full"
    threads = {"torch": asked.threads}
    save(start.result("corr_step", rows, device=asked.device, mode=mode, threads=threads, scene=scene, ratios=ratios),
         output)  # fmt: skip
    say(f"wrote {output}")


def step_rows(variant: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Plain, ours in fp32, ours in bf16: a step of each in turn, on the same pairs."""
    config = NAMED[variant]
    network = new_matcher(config, seed=0)
    steps: dict[str, Callable[[Tensor, Tensor], float]] = {
        PLAIN: PlainStep(network, asked.device),
        "ours, fp32": OurStep(new_matcher(config, seed=0), asked.device, low=False),
        "ours, bf16": OurStep(new_matcher(config, seed=0), asked.device, low=True),
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    losses: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(asked.rounds + 1):
        images, truth = (part.to(asked.device) for part in noise(asked.batch, config.image_size, config.grid, number))
        for name, step in steps.items():
            begun = time.perf_counter()
            losses[name].append(step(images, truth))
            if number:
                times[name].append((time.perf_counter() - begun) * 1e3)
    return [
        {
            "variant": variant, "size": config.image_size, "work": name, "batch": asked.batch,
            "ms": round(median(times[name]), 2), "pairs_per_s": round(asked.batch * 1e3 / median(times[name]), 2),
            "all_ms": [round(ms, 2) for ms in times[name]], "losses": [round(loss, 6) for loss in losses[name]],
            "first_loss_difference": losses[name][0] / losses[PLAIN][0] - 1,
        }
        for name in steps
    ]  # fmt: skip


def match_rows(variant: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Two X-rays of 256 x 256 px."""
    config = NAMED[variant]
    config = replace(config, preprocess={"size": config.image_size, "low": 1.0, "high": 99.0, "field": "whole"})
    matcher = Matcher(new_matcher(config, seed=0), device=asked.device)
    times = []
    for number in range(asked.rounds + 1):
        xrays = list(noise(1, 256, 4, number)[0][0, :, 0])
        begun = time.perf_counter()
        matcher.match(xrays)
        if number:
            times.append((time.perf_counter() - begun) * 1e3)
    return [
        {
            "variant": variant, "size": config.image_size, "work": "match, fp32", "batch": 1,
            "ms": round(median(times), 2), "pairs_per_s": round(1e3 / median(times), 2),
            "all_ms": [round(ms, 2) for ms in times], "losses": [], "first_loss_difference": None,
        }
    ]  # fmt: skip


def noise(batch: int, size: int, grid: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images (B, 2, 1, S, S) in [0, 1] and a truth (B, L, L) with a twentieth of matches."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2 * batch, 1, 12, 12, generator=draw)
    images = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear").unflatten(0, (batch, 2))
    return images, (torch.rand(batch, grid**2, grid**2, generator=draw) < 0.05).float()


if __name__ == "__main__":
    main()
