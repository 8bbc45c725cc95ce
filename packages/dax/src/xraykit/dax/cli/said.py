"""What the commands say of X-rays: assumptions, each once."""

from __future__ import annotations

from collections.abc import Mapping


def say_notes(notes: Mapping[str, int], *, count: int) -> None:
    """Print assumptions with the number of X-rays that they concern.

    Args:
        notes: Number of X-rays by sentence.
        count: How many X-rays there are.
    """
    for note, number in notes.items():
        whose = "all X-rays" if number == count else f"{number} of {count} X-rays"
        print(f"note: {note} ({whose})")
