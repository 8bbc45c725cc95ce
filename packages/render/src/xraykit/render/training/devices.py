"""What a training runs on: the device that is there, its best precision, and the processes beside it.

Settings name these, and help on settings loads no torch: it is imported where it is used.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from ..errors import OutputError
from ..rendering.devices import usable_device

Device = Literal["auto", "cpu", "cuda"]
Prepared = TypeVar("Prepared")


def chosen_device(device: Device) -> Literal["cpu", "cuda"]:
    """The device itself, for "auto" a GPU if there is one.

    Raises:
        InputError: No GPU where one is asked for.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    usable_device(device)
    return device


def chosen_precision(device: Literal["cpu", "cuda"]) -> str:
    """Lightning's name of the precision that this device is fastest at without loss of range."""
    import torch

    if device == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "bf16-mixed" if torch.cpu.get_capabilities().get("avx512_bf16", False) else "32-true"


def is_follower() -> bool:
    """Whether this is a process of a training that is not the first, as launchers and SLURM say."""
    return any(int(os.environ.get(name) or 0) > 0 for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"))


def wait_for_first(find: Callable[[], Prepared | None], folder: str | Path, *, seconds: float) -> Prepared:
    """What the first process of a training prepares, once it is whole.

    Args:
        find: Gives it, or None while it is not there.
        folder: Where it will be.
        seconds: How long to wait.

    Raises:
        OutputError: It is not there in time.
    """
    begun = time.monotonic()
    while (found := find()) is None:
        if time.monotonic() - begun > seconds:
            raise OutputError(f"{folder} must be filled by the first process, got none in {seconds:g} s; see its log.")
        time.sleep(0.2)
    return found
