"""What a suite says while it runs: progress to stderr, so that stdout holds the table alone."""

from __future__ import annotations

import sys
import time


def say(line: str) -> None:
    """One line with the time of day."""
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)
