"""How large a detector may be."""

from __future__ import annotations

from ..errors import InputError

MOST_PIXELS = 2**27  # rendering takes some fifty bytes for each


def check_size(height: int, width: int) -> None:
    """Raise InputError for a detector that would fill the memory before a pixel is rendered."""
    if height * width > MOST_PIXELS:
        size = f"{height} x {width}"
        raise InputError(f"the detector must have at most {MOST_PIXELS} pixels, got {size}; make it smaller.")
