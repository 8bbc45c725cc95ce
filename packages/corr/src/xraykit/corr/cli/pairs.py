"""`xraykit corr pairs`: X-rays of patients and the correspondence of pairs of their views."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import Tally, duration, flat, say_left_out, say_lines


@dataclass(frozen=True)
class PairsCommandSettings:
    """How pairs are made; what they are is in the file."""

    plan: Path = field(metadata={"positional": True})
    """PLAN.yaml: a data set's configuration with image.tissue, and a table `pairs`."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for images, prepared views and pairs; made if need be."""
    workers: int = 1
    """Processes."""
    resume: bool = False
    """Go on with a folder that holds a part of it."""


def pairs(settings: PairsCommandSettings) -> int:
    """Make X-rays of patients, and which patches of them correspond.

    DIR/images is a data set as of `xraykit dataset make`, DIR/prepared what
    trainings read, DIR/pairs the matrices: tar shards with a record and packed
    correspondence for each pair. To learn from them:

        xraykit corr train DIR/images -o run/

    Args:
        settings: The plan, the folder, and what does the work.
    """
    from ..data.pairs_plan import read_pairs_plan
    from ..pairs_job import make_pairs

    config, wanted = read_pairs_plan(settings.plan)
    running: list[tuple[str, Tally]] = []
    total = Tally("pairs")

    def report(what: str, done: int, whole: int) -> None:
        if not running or running[0][0] != what:
            while running:
                running.pop()[1].__exit__()
            running.append((what, Tally(what).__enter__()))
        running[0][1].report(done, whole)

    try:
        summary = make_pairs(
            config, wanted, settings.output, workers=settings.workers, resume=settings.resume, report=report
        )
    finally:
        while running:
            running.pop()[1].__exit__()
    say_lines(warnings=[f"{name} was left out: {reason}" for name, reason in summary.damaged])
    size = sum(shard.bytes for shard in summary.shards) / 1e6
    print(
        f"{summary.folder}: {summary.pairs} pairs in {len(summary.shards)} shards, {size:.1f} MB; "
        f"{summary.made} shards made now, in {duration(total.seconds)}"
    )
    return say_left_out(summary.left_out)


command = flat(pairs, PairsCommandSettings)
