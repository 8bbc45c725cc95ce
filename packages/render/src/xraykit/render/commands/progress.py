"""Progress of a command: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from .terminal import started_bar


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
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

            words = TextColumn("{task.description:38}", markup=False)
            self._bar = started_bar(SpinnerColumn(), words, BarColumn(), TimeElapsedColumn())
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


class Tally:
    """How much of a long job is done, how fast it goes, and how long it will take.

    The rate is that of this run: what was done before it began does not count.

    Args:
        unit: What is counted, in the plural.
        every: Seconds between two lines where there is no terminal.
    """

    def __init__(self, unit: str, *, every: float = 10.0) -> None:
        self.unit, self.every = unit, every
        self._bar = None
        self._started = self._begun = self._said = time.monotonic()
        self._first: int | None = None

    def __enter__(self) -> Tally:
        if sys.stdout.isatty():
            from rich.progress import BarColumn, TextColumn

            self._bar = started_bar(TextColumn("{task.description}", markup=False), BarColumn())
            self._task = self._bar.add_task("", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Since it started."""
        return time.monotonic() - self._started

    def report(self, done: int, total: int) -> None:
        """Say that `done` of `total` are done; the first call says what was there before."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._begun = done, now
        rate = (done - self._first) / max(now - self._begun, 1e-9)
        text = f"{done}/{total} {self.unit}"
        if rate > 0:
            text += f", {rate:.2f}/s, {duration((total - done) / rate)} left"
        if self._bar is not None:
            self._bar.update(self._task, description=text, total=total, completed=done)
        elif now - self._said >= self.every or done == total:
            self._said = now
            print(text, flush=True)


def duration(seconds: float) -> str:
    """A time as one reads it: 42 s, 3 min 20 s, 5 h 7 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def stages(units: Mapping[str, str] | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function of (what is being done, how much is done, how much there is).

    Args:
        units: What is counted in a stage, by the first word of its name, which is then announced; None: the name.
    """
    running: list[tuple[str, Tally]] = []

    def end() -> None:
        while running:
            running.pop()[1].__exit__()

    def report(what: str, done: int, total: int) -> None:
        if not running or running[0][0] != what:
            end()
            if units is not None:
                print(what, flush=True)
            unit = what if units is None else units.get(what.split()[0], "steps")
            running.append((what, Tally(unit).__enter__()))
        running[0][1].report(done, total)

    try:
        yield report
    finally:
        end()
