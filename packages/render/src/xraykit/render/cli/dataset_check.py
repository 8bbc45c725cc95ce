"""`xraykit render dataset-check`: whether a data set is whole."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from ..commands.progress import Tally
from ..errors import FileError
from .settings import ConfigOption


@dataclass(frozen=True)
class DatasetCheckConfig:
    """Options of `xraykit render dataset-check`."""

    dataset: Annotated[str, Parameter(name="dataset")]
    """Folder of the data set, or an fsspec address such as s3://bucket/set."""


def dataset_check(
    config: Annotated[DatasetCheckConfig, Parameter(name="*")], *, config_file: ConfigOption = None
) -> None:
    """Read a data set from end to end and say what is wrong with it; exits with 2 if anything is.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from ..dataset.check import check_dataset

    with Tally("shards") as tally:
        found = check_dataset(config.dataset, report=tally.report)
    for warning in found.warnings:
        print(f"xraykit: warning: {config.dataset}: {warning}", file=sys.stderr)
    for problem in found.problems:
        print(f"- {problem}")
    print(f"{config.dataset}: {found.samples} samples in {found.shards} shards, {found.bytes / 1e6:.1f} MB")
    if found.problems:
        raise FileError(f"{config.dataset} must be whole, got {len(found.problems)} problems, listed above.")
