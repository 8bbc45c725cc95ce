"""`xraykit fluorosam fluoroseg`: the published layout of FluoroSeg, written from a job and looked through."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cyclopts import App

from xraykit.render.commands import Tally, flat, say_left_out


@dataclass(frozen=True)
class FluoroSegExportSettings:
    """What is written."""

    job: Path = field(metadata={"positional": True})
    """A data set job's folder."""
    output: Path = field(metadata={"short": "-o"})
    """Folder in FluoroSeg's layout, new or empty."""


@dataclass(frozen=True)
class FluoroSegCheckSettings:
    """What is looked at."""

    data: Path = field(metadata={"positional": True})
    """A folder in FluoroSeg's layout."""
    split: Literal["train", "val"] | None = None
    """Only this split."""
    images: int | None = None
    """Most images, evenly spread; default: all."""


def export(settings: FluoroSegExportSettings) -> int:
    """Write a data set job in FluoroSeg's published layout.

        xraykit fluorosam fluoroseg export job/ -o fluoroseg/

    Each patient is a case. Labels take FluoroSeg's categories, ribs its old
    order; bones of the limbs lose their side, and tools their kind, as there.

    Args:
        settings: What, and where to.
    """
    from ..data.fluoroseg_writer import write_fluoroseg

    with Tally("X-rays") as tally:
        done = write_fluoroseg(settings.job, settings.output, report=tally.report)
    print(f"wrote {settings.output}: {done.images} X-rays of {done.cases} patients with {done.annotations} masks")
    if done.left_out:
        few = ", ".join(sorted(done.left_out)[:5]) + (", ..." if len(done.left_out) > 5 else "")
        print(f"note: FluoroSeg has no category for {len(done.left_out)} labels, whose masks were left out ({few})")
    return say_left_out(done.damaged)


def check(settings: FluoroSegCheckSettings) -> None:
    """Read a folder in FluoroSeg's layout, every mask of it, and say whether ribs lie where their names say.

        xraykit fluorosam fluoroseg check fluoroseg/

    Args:
        settings: What.
    """
    from ..data.fluoroseg_check import check_fluoroseg

    with Tally("X-rays") as tally:
        found = check_fluoroseg(settings.data, split=settings.split, most=settings.images, report=tally.report)
    print(f"{settings.data}: {found.images} X-rays of {found.cases} cases with {found.annotations} masks, all readable")
    print(found.ribs_sentence)


app = App(name="fluoroseg", help="FluoroSeg's published layout: write a data set job in it, or look one through.")
app.command(flat(export, FluoroSegExportSettings), name="export")
app.command(flat(check, FluoroSegCheckSettings), name="check")
