"""Progress of work that comes in stages, a bar for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xraykit.render.commands import Tally

if TYPE_CHECKING:
    from ..data.stage_told import StageTold


@contextmanager
def stages(units: Mapping[str, str] | None = None) -> Iterator[StageTold]:
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
