"""Progress of a command: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Steps:
    """Named steps of a long command, each timed.

    Args:
        total: How many steps there will be.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.seconds: dict[str, float] = {}
        self._bar = None

    def __enter__(self) -> Steps:
        if sys.stdout.isatty():
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (SpinnerColumn(), TextColumn("{task.description:38}"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns)
            self._bar.start()
            self._task = self._bar.add_task("", total=self.total)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time one step and report it."""
        start = time.perf_counter()
        if self._bar is not None:
            self._bar.update(self._task, description=title)
        yield
        self.seconds[title] = time.perf_counter() - start
        if self._bar is not None:
            self._bar.advance(self._task)
        else:
            print(f"[{len(self.seconds)}/{self.total}] {title}: {self.seconds[title]:.1f} s", flush=True)
