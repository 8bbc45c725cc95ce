"""`xraykit dataset check`: whether a data set is whole."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from ..commands.options import flat
from ..commands.progress import Tally
from ..errors import FileError


@dataclass(frozen=True)
class DatasetCheckSettings:
    """A data set to read."""

    dataset: str = field(metadata={"positional": True})
    """Folder of the data set, or an fsspec address such as s3://bucket/set."""


def check(settings: DatasetCheckSettings) -> None:
    """Read a data set from end to end and say what is wrong with it; exits with 2 if anything is.

    Args:
        settings: The data set.
    """
    from ..dataset.check import check_dataset

    with Tally("shards") as tally:
        found = check_dataset(settings.dataset, report=tally.report)
    for warning in found.warnings:
        print(f"xraykit: warning: {settings.dataset}: {warning}", file=sys.stderr)
    for problem in found.problems:
        print(f"- {problem}")
    print(f"{settings.dataset}: {found.samples} samples in {found.shards} shards, {found.bytes / 1e6:.1f} MB")
    if found.problems:
        raise FileError(f"{settings.dataset} must be whole, got {len(found.problems)} problems, listed above.")


command = flat(check, DatasetCheckSettings)
