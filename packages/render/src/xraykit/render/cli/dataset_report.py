"""`xraykit render dataset-report`: what a data set holds and how it looks, as one HTML page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..commands.progress import Tally
from ..errors import InputError
from .settings import ConfigOption


@dataclass(frozen=True)
class DatasetReportConfig:
    """Options of `xraykit render dataset-report`."""

    dataset: Annotated[str, Parameter(name="dataset")]
    """Folder of the data set, or an fsspec address such as s3://bucket/set."""
    output: Annotated[Path | None, Parameter(name=("--output", "-o"))] = field(default=None, kw_only=True)
    """The .html file to write; report.html in the data set's folder if left out."""
    masks: bool = field(default=False, kw_only=True)
    """Draw the masks over the pictures of the contact sheet."""
    each: int = field(default=2, kw_only=True)
    """Pictures of every view of every region."""


def dataset_report(
    config: Annotated[DatasetReportConfig, Parameter(name="*")], *, config_file: ConfigOption = None
) -> None:
    """Write a page about a data set: counts, histograms, contact sheet, duplicates, and what should be looked at.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from ..dataset.report.report import dataset_report as write_page

    if config.output is None and "://" in config.dataset:
        raise InputError(f"--output must be given for {config.dataset}, which is no folder.")
    output = config.output or Path(config.dataset) / "report.html"
    with Tally("images") as tally:
        made = write_page(config.dataset, output, masks=config.masks, each=config.each, report=tally.report)
    for title, count in made.findings.items():
        print(f"{title}: {count or 'none'}")
    print(f"wrote {made.path} about {made.samples} images")
