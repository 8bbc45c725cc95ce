"""Two processes on the CPU that train together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
from support.waiting import PATIENCE
from torch import Tensor, distributed, multiprocessing

RANKS = 2


def on_ranks(work: Callable[[int], dict[str, Tensor]], folder: Path) -> list[dict[str, Tensor]]:
    """What a function of a module gives on each of two ranks, which talk by gloo."""
    multiprocessing.spawn(_run, args=(work, str(folder)), nprocs=RANKS)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(RANKS)]


def _run(rank: int, work: Callable[[int], dict[str, Tensor]], folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=RANKS, timeout=timedelta(seconds=PATIENCE)
    )
    try:
        torch.save({name: value.detach() for name, value in work(rank).items()}, Path(folder) / f"{rank}.pt")
    finally:
        distributed.destroy_process_group()
