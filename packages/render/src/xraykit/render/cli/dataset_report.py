"""`xraykit dataset report`: what a data set holds and how it looks, as one HTML page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..commands.left_out import say_left_out
from ..commands.options import flat
from ..commands.progress import Tally
from ..errors import InputError


@dataclass(frozen=True)
class DatasetReportSettings:
    """A data set to show."""

    dataset: str = field(metadata={"positional": True})
    """Folder of the data set, or an fsspec address such as s3://bucket/set."""
    output: Path | None = field(default=None, metadata={"short": "-o"})
    """The .html file to write; report.html in the data set's folder if left out."""
    masks: bool = False
    """Draw the masks over the pictures of the contact sheet."""
    each: int = 2
    """Pictures of every view of every region."""


def report(settings: DatasetReportSettings) -> int:
    """Write a page about a data set: counts, histograms, contact sheet, duplicates, and what should be looked at.

    Args:
        settings: The data set, and what the page shows.
    """
    from ..dataset.report.report import dataset_report

    if settings.output is None and "://" in settings.dataset:
        raise InputError(f"--output must be given for {settings.dataset}, which is no folder.")
    output = settings.output or Path(settings.dataset) / "report.html"
    with Tally("images") as tally:
        made = dataset_report(settings.dataset, output, masks=settings.masks, each=settings.each, report=tally.report)
    for title, count in made.findings.items():
        print(f"{title}: {count or 'none'}")
    print(f"wrote {made.path} about {made.samples} images")
    return say_left_out(made.damaged)


command = flat(report, DatasetReportSettings)
