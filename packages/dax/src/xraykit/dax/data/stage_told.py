"""How long work in stages tells its caller of progress."""

from __future__ import annotations

from collections.abc import Callable

StageTold = Callable[[str, int, int], None]
"""Called with what is being done ("images", "batches"), how much of it is done, and how much there is."""
