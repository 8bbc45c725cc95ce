"""What a training says where several processes train together: the first of them speaks for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..training.devices import is_follower
from .left_out import say_left_out
from .progress import duration

if TYPE_CHECKING:
    from ..training.folder import TrainingRun


def tell(sentence: str) -> None:
    """Print a sentence at once, on the first process."""
    if not is_follower():
        print(sentence, flush=True)


def say_end(lines: Iterable[str], left_out: Iterable[tuple[str, str]] = ()) -> int:
    """Print the last lines of a command and warn of what it left out, on the first process.

    Args:
        lines: What came out; empty ones are not printed.
        left_out: As for `say_left_out`.

    Returns:
        The exit status, as `say_left_out` gives it. That of the other processes is 0: their launcher takes anything
        else for a crash, and kills the first.
    """
    if is_follower():
        return 0
    for line in lines:
        if line:
            print(line)
    return say_left_out(left_out)


def training_lines(training: TrainingRun, scores: str) -> list[str]:
    """How long a training was, how good it became, and where it lies."""
    return [
        f"{training.batches} batches in {duration(training.seconds)}",
        scores,
        f"wrote {training.weights}, curve.csv and settings.json in {training.folder}",
    ]


def last_scores(training: TrainingRun, shown: Mapping[str, str], *, scale: float = 1.0, unit: str = "") -> str:
    """Columns of the last row of a training's curve on one line.

    Args:
        training: What `fit` gave.
        shown: Columns, and what they are called; those that the curve lacks are left out.
        scale: What their values are multiplied by.
        unit: Said after each.
    """
    last = training.rows[-1] if training.rows else {}
    return ", ".join(f"{words} {scale * last[name]:.4g}{unit}" for name, words in shown.items() if name in last)
