"""Progress of work that comes in stages, a bar for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xraykit.render.commands import Tally


@contextmanager
def stages(unit: str | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function of (what is being done, how much is done, how much there is).

    Args:
        unit: What is counted, and then each stage is announced by its name; None counts what is being done.
    """
    running: list[tuple[str, Tally]] = []

    def end() -> None:
        while running:
            running.pop()[1].__exit__()

    def report(what: str, done: int, total: int) -> None:
        if not running or running[0][0] != what:
            end()
            if unit is not None:
                print(what, flush=True)
            running.append((what, Tally(unit or what).__enter__()))
        running[0][1].report(done, total)

    try:
        yield report
    finally:
        end()
