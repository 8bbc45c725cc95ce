"""Waiting for what another thread or process does: for the event itself, however slow or busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 240.0  # [s], of one wait; below the `timeout` of a test in pyproject.toml, which ends what hangs for good


def until(done: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """The first true value of `done`, asked fifty times a second; TimeoutError if it never comes."""
    end = time.monotonic() + seconds
    while not (value := done()):
        if time.monotonic() > end:
            raise TimeoutError(f"it never happened, not within {seconds} s")
        time.sleep(0.02)
    return value
