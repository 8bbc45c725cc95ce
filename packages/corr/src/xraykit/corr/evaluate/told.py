"""What an evaluation calls with its progress."""

from __future__ import annotations

from collections.abc import Callable

EvaluationTold = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
