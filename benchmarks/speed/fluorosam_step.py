"""A training step of fluorosam's prompt rounds: ours against a plain writing, mask by mask; same weights and images.

python -m benchmarks.speed.fluorosam_step                # mini with three points (laptop) and eight (paper); minutes
python -m benchmarks.speed.fluorosam_step --quick        # small, to see that it runs
python -m benchmarks.speed.fluorosam_step --device cuda  # Swin-S as well

Both see the same images, masks, texts and draws, and the loss of the first step must be the same in float32. Rounds
whose losses do not count have no graph in ours. Images are those that a device has ready: making them is not timed.
bfloat16 is tried where the device computes in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from xraykit.fluorosam.data import SegmentationBatch
from xraykit.fluorosam.network import SegmentationNetwork, new_network
from xraykit.fluorosam.train import (
    PromptRoundSettings,
    RoundDraws,
    SegmentationObjectiveSettings,
    draw_rounds,
    prompt_round_loss,
)
from xraykit.fluorosam.train.kept_memory import keep_memory
from xraykit.render.training import chosen_precision

from ..common.fluorosam_plain import plain_round_loss
from ..common.progress import say
from ..common.result import RESULTS, Start, save

RATE, CLIP = 1e-3, 1.0
PLAIN = "plain, fp32"
WEIGHTS = SegmentationObjectiveSettings(presence_weight=0.0)
WORDS = ("left femur", "the right hip", "all ribs", "K-wire", "lumbar spine", "skull", "left lung", "sacrum")


class RoundsStep:
    """The step as `SegmentationTask` makes it, without the trainer around it, or the same plainly."""

    def __init__(self, network: SegmentationNetwork, device: str, *, plain: bool, low: bool) -> None:
        self.network, self.plain, self.low = network.to(device).train(), plain, low
        self.device = torch.device(device)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=RATE, foreach=None if not plain else False)

    def __call__(self, batch: SegmentationBatch, draws: RoundDraws) -> float:
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.low):
            loss = plain_round_loss(self.network, batch, draws, WEIGHTS) if self.plain else self._ours(batch, draws)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        return float(loss.detach())

    def _ours(self, batch: SegmentationBatch, draws: RoundDraws) -> Tensor:
        texts = [text for row in batch.texts for text in row]
        features = self.network.encode_text(texts).unflatten(0, (len(batch.texts), -1))
        return prompt_round_loss(self.network, batch, features, draws, WEIGHTS)[0]


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.fluorosam_step", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--prompts", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(asked.threads)
    if asked.device == "cpu":
        keep_memory()
    if asked.quick:
        asked.batch, asked.prompts, asked.rounds = 2, 2, 1
    start = Start.now()
    tries = [("mini", 3)] if asked.quick else [("mini", 3), ("mini", 8)]
    if asked.device != "cpu":
        tries.append(("swin-s", 8))
    rows: list[dict[str, Any]] = []
    ratios: list[dict[str, Any]] = []
    for variant, points in tries:
        steps = step_rows(variant, points, asked)
        rows += steps
        ratios += [
            {"what": f"training step, {variant}, {points} points", "ours": row["work"], "other": PLAIN,
             "ratio": round(steps[0]["ms"] / row["ms"], 3)}
            for row in steps[1:]
        ]  # fmt: skip
    say("\n".join(str({key: value for key, value in row.items() if not key.startswith("all")}) for row in rows))
    say("\n".join(str(ratio) for ratio in ratios))
    scene = {"name": f"{asked.batch} images with {asked.prompts} discs each; what they show has no say in the time"}
    output = asked.output or RESULTS / f"fluorosam_step--{asked.device}.json"
    mode = "quick" if asked.quick else "full"
    threads = {"torch": asked.threads}
    save(start.result("fluorosam_step", rows, device=asked.device, mode=mode, threads=threads, scene=scene,
                      ratios=ratios), output)  # fmt: skip
    say(f"wrote {output}")


def step_rows(variant: str, points: int, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Plain, ours in fp32, ours in bf16: a step of each in turn, on the same batch with the same draws."""
    kinds = {PLAIN: (True, False), "ours, fp32": (False, False)}
    if chosen_precision("cpu" if asked.device == "cpu" else "cuda") == "bf16-mixed":
        kinds["ours, bf16"] = False, True
    steps: dict[str, Callable[[SegmentationBatch, RoundDraws], float]] = {
        name: RoundsStep(new_network(variant, seed=0), asked.device, plain=plain, low=low)
        for name, (plain, low) in kinds.items()
    }
    times: dict[str, list[float]] = {name: [] for name in steps}
    losses: dict[str, list[float]] = {name: [] for name in steps}
    size = new_network(variant).config
    settings = PromptRoundSettings(points=points, corrections=0.0)  # the published regime has none
    for number in range(asked.rounds + 1):
        batch = discs(asked.batch, asked.prompts, size.image_size, size.mask_size, number, asked.device)
        draws = draw_rounds(batch.absent, settings, torch.Generator().manual_seed(number))
        for name, step in steps.items():
            begun = time.perf_counter()
            losses[name].append(step(batch, draws))
            if number:
                times[name].append((time.perf_counter() - begun) * 1e3)
    return [
        {
            "variant": variant, "size": size.image_size, "points": points, "work": name, "batch": asked.batch,
            "prompts": asked.prompts, "ms": round(median(times[name]), 2),
            "images_per_s": round(asked.batch * 1e3 / median(times[name]), 3),
            "prompts_per_s": round(asked.batch * asked.prompts * 1e3 / median(times[name]), 3),
            "all_ms": [round(ms, 2) for ms in times[name]], "losses": [round(loss, 6) for loss in losses[name]],
            "first_loss_difference": losses[name][0] / losses[PLAIN][0] - 1,
        }
        for name in steps
    ]  # fmt: skip


def discs(batch: int, prompts: int, size: int, edge: int, seed: int, device: str) -> SegmentationBatch:
    """Images of smooth noise, discs as masks, a tenth of the prompts without one."""
    draw = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, 12, 12, generator=draw)
    images = nn.functional.interpolate(coarse, size=(size, size), mode="bilinear") * 2 - 1
    middle, radius = (
        torch.rand(batch, prompts, 2, generator=draw),
        0.03 + 0.2 * torch.rand(batch, prompts, generator=draw),
    )
    place = (torch.arange(edge) + 0.5) / edge
    square = (place - middle[..., :1]) ** 2
    across = (place - middle[..., 1:]) ** 2
    masks = square[..., :, None] + across[..., None, :] < (radius**2)[..., None, None]
    absent = torch.rand(batch, prompts, generator=draw) < 0.1
    masks &= ~absent[..., None, None]
    words = tuple(tuple(WORDS[(b + p) % len(WORDS)] for p in range(prompts)) for b in range(batch))
    shown = torch.full((batch, 2), edge)
    return SegmentationBatch(
        images.to(device), masks.to(device), absent.to(device), words, words, shown.to(device), tuple(range(batch))
    )


if __name__ == "__main__":
    main()
