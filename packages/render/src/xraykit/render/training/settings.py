"""Settings that every training has: where it runs, how long, how fast."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import InputError
from .devices import Device, chosen_device, chosen_precision


@dataclass(frozen=True)
class RunSettings:
    """Where the training runs."""

    output: Path = field(metadata={"short": "-o"})
    """Folder for weights, checkpoint, curves and settings; made if need be."""
    resume: bool = False
    """Go on with the training in the output folder, exactly where its last checkpoint was."""
    device: Device = "auto"
    """What to train on."""
    devices: int = 1
    """GPUs (or CPU processes) per node."""
    nodes: int = 1
    """Machines."""
    strategy: str = "auto"
    """Lightning's strategy, such as ddp."""
    precision: str | None = None
    """Lightning's precision: bf16-mixed (default where the device has it), 16-mixed, 32-true."""
    compile: bool = False
    """torch.compile the network."""
    workers: int = 2
    """Processes that read or make training data; 0 does it in this one."""
    seed: int = 0
    """Everything random follows from it."""


@dataclass(frozen=True)
class LengthSettings:
    """How long the training is, and how fast it learns."""

    steps: int | None = None
    """Length in batches."""
    minutes: float | None = None
    """Length in minutes of wall time, reading and saving included; the schedule follows the clock."""
    batch: int | None = None
    """Images at a time and device; the method's choice if left out."""
    accumulate: int = 1
    """Batches per optimiser step."""
    warmup: int = 50
    """Optimiser steps to the peak rate; a cosine follows down to 0."""
    rate: float = 1e-3
    """Peak learning rate."""
    clip: float = 0.0
    """Longest gradient, in the measure of the method; 0 for any."""
    validate_every: int | None = None
    """Batches between validations; twenty times in all if left out."""
    save_every: int | None = None
    """Batches between checkpoints; with every validation if left out."""


def completed_run(run: RunSettings) -> RunSettings:
    """The settings with device and precision of this machine.

    Raises:
        InputError: A number outside its range, or no GPU where one is asked for.
    """
    check_positive(run, ("devices", "nodes"), or_zero=("workers", "seed"))
    device = chosen_device(run.device)
    return replace(run, device=device, precision=run.precision or chosen_precision(device))


def check_length(length: LengthSettings) -> None:
    """Raise InputError unless every number is in its range and there is an end."""
    every = ("steps", "minutes", "batch", "accumulate", "rate", "validate_every", "save_every")
    check_positive(length, every, or_zero=("warmup", "clip"))
    if length.steps is None and length.minutes is None:
        raise InputError("a training needs an end; give --steps, --minutes, or both.")


def check_positive(settings: object, names: Iterable[str], *, or_zero: Iterable[str] = ()) -> None:
    """Raise InputError unless the named fields are positive and finite, or 0 as well; None is left alone."""
    for name, value in ((name, getattr(settings, name)) for name in names):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{_option(name)} must be positive and finite, got {value}.")
    for name, value in ((name, getattr(settings, name)) for name in or_zero):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InputError(f"{_option(name)} must be 0 or more and finite, got {value}.")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
