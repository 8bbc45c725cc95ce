"""A line on standard error that says how far reading is, once it takes longer than people wait without asking."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..storage.reading_progress import listening

PATIENCE, EVERY = 2.0, 5.0
"""Seconds before the first word, and between two words."""


@contextmanager
def slow_reading_said(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Within it, reading that takes over two seconds says on standard error how many files or frames are done.

    Processes that were forked within it keep quiet.
    """
    process, what, said, begun = os.getpid(), "", -EVERY, 0.0

    def tell(now_read: str, done: int, total: int) -> None:
        nonlocal what, said, begun
        now = clock()
        if now_read != what or done == 1:
            what, begun, said = now_read, now, now - EVERY
        if now - begun >= PATIENCE and now - said >= EVERY and done < total and os.getpid() == process:
            said = now
            print(f"reading: {done} of {total} {what}", file=sys.stderr, flush=True)

    with listening(tell):
        yield
