"""The DINO loss and its gradient: ours beside the published loop over pairs, on one thread.

python -m benchmarks.speed.dax_loss                    # 65,536 prototypes, 2 + 6 views, batches of 8, 16 and 32
python -m benchmarks.speed.dax_loss --batches 8 --seconds 2
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from xraykit.dax.loss import Center, dino_loss, view_statistics

from ..common.clock import interleave, summary
from ..common.progress import say
from ..common.result import RESULTS, Start, save

STUDENT, TEACHER = 0.1, 0.04
WHO = ("ours", "published")
Loss = Callable[[Tensor, list[Tensor]], Tensor]


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    asked = parse(arguments)
    start = Start.now()
    if asked.device == "cpu":
        torch.set_num_threads(1)
    rows = [row for batch in asked.batches for row in measure(batch, asked)]
    scene = {"name": f"logits in -1 to 1, {asked.prototypes} prototypes, 2 + {asked.views - 2} views"}
    threads = {"torch": torch.get_num_threads()}
    save(start.result("dax_loss", rows, device=asked.device, threads=threads, scene=scene), asked.output)
    say(f"wrote {asked.output}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.dax_loss", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--prototypes", type=int, default=65536)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each work at each batch")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--output", type=Path, default=RESULTS / "dax_loss--cpu.json")
    return parser.parse_args(arguments)


def measure(batch: int, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Two rows: the loss as DINO computes it, and as DAX does, which logs entropies and divergence at every step."""
    generator = torch.Generator().manual_seed(batch)
    student, logits = (
        (2 * torch.rand(views, batch, asked.prototypes, generator=generator) - 1).to(asked.device)
        for views in (asked.views, 2)
    )
    student = student.flatten(0, 1).requires_grad_()
    teacher = Center(asked.prototypes).to(asked.device).probabilities(logits, TEACHER)
    works: dict[str, tuple[Loss, Loss]] = {
        "loss": (dino_loss, published),
        "loss and statistics": (ours_with_statistics, published_with_statistics),
    }
    jobs = {(work, who): job for work, both in works.items() for who, job in zip(WHO, both, strict=True)}
    times = interleave(
        {" ".join(key): lambda job=job: forward_backward(job, student, teacher) for key, job in jobs.items()},
        device=asked.device, seconds=asked.seconds, at_least=5, at_most=200,
    )  # fmt: skip
    rows = []
    for work, (ours, theirs) in works.items():
        mine, published_ms = (times[f"{work} {who}"]["wall"] for who in WHO)
        row = {
            "work": work, "batch": batch, "views": asked.views, "prototypes": asked.prototypes,
            "ours_ms": summary(mine), "published_ms": summary(published_ms),
            "ratio": round(median(published_ms) / median(mine), 2),
            "ratio_of_fastest": round(min(published_ms) / min(mine), 2),
            **differences(ours, theirs, student, teacher),
        }  # fmt: skip
        say(json.dumps({name: value for name, value in row.items() if not name.endswith("_ms")}))
        rows.append(row)
    return rows


def forward_backward(work: Loss, student: Tensor, teacher: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Loss and gradient."""
    loss = work(student, teacher)
    return loss.detach(), torch.autograd.grad(loss, student)[0]


def differences(ours: Loss, theirs: Loss, student: Tensor, teacher: list[Tensor]) -> dict[str, float]:
    """Of loss and gradient, relative to the loss and to the largest gradient."""
    (loss, gradient), (expected, slope) = (forward_backward(work, student, teacher) for work in (ours, theirs))
    return {
        "loss_difference": float((loss - expected).abs() / expected.abs()),
        "gradient_difference": float((gradient - slope).abs().max() / slope.abs().max()),
    }


def published(student: Tensor, teacher: list[Tensor]) -> Tensor:
    """The loop over pairs, written again: one log-softmax for each."""
    views, terms = (student / STUDENT).chunk(len(student) // len(teacher[0])), []
    for i, q in enumerate(teacher):
        for j, view in enumerate(views):
            if i != j:
                terms.append(torch.sum(-q * torch.log_softmax(view, dim=-1), dim=-1).mean())
    return sum(terms, student.new_zeros(())) / len(terms)


def published_with_statistics(student: Tensor, teacher: list[Tensor]) -> Tensor:
    """The same with entropies and divergence of each pair, as published."""
    views = (student.detach() / STUDENT).chunk(len(student) // len(teacher[0]))
    found = []
    for i, q in enumerate(teacher):
        for j, view in enumerate(views):
            if i != j:
                p, t = torch.softmax(view, dim=-1).clamp(min=1e-10), q.clamp(min=1e-10)
                found.append(((p * p.log()).sum(-1).mean(), (t * t.log()).sum(-1).mean(),
                              (t * (t / p).log()).sum(-1).mean()))  # fmt: skip
    return published(student, teacher)


def ours_with_statistics(student: Tensor, teacher: list[Tensor]) -> Tensor:
    """Ours with ours."""
    view_statistics(student.detach(), teacher)
    return dino_loss(student, teacher)


if __name__ == "__main__":
    main()
