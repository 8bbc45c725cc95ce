"""What the commands say of X-rays: assumptions, each once, and files that were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def say_notes(notes: Mapping[str, int], skipped: Sequence[Sequence[str]], *, count: int) -> None:
    """Print assumptions with the number of X-rays that they concern, then each damaged file with its reason.

    Args:
        notes: Number of X-rays by sentence.
        skipped: Name and reason of each damaged X-ray.
        count: How many X-rays there are.
    """
    for note, number in notes.items():
        whose = "all X-rays" if number == count else f"{number} of {count} X-rays"
        print(f"note: {note} ({whose})")
    for name, reason in skipped:
        print(f"skipped: {name}: {reason}")
