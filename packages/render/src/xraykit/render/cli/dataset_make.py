"""`xraykit dataset make`: a data set of X-rays as tar shards, from one YAML file."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..commands.findings import say_lines
from ..commands.left_out import say_left_out
from ..commands.options import flat
from ..commands.progress import Tally, duration
from ..cpu_type import several_cpu_types
from ..errors import InputError

if TYPE_CHECKING:
    from ..dataset.make.job import DatasetSummary
    from ..dataset.plan.config import DatasetConfig


@dataclass(frozen=True)
class DatasetMakeSettings:
    """How a data set is made; what it holds is in the file."""

    recipe: Path = field(metadata={"positional": True})
    """CONFIG.yaml: patients, views, tools, physics, images, splits; see docs/datasets.md."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for the shards; made if need be."""
    engine: Literal["local", "ray", "slurm"] = "local"
    """local: processes here; ray: tasks of a Ray cluster; slurm: write the script of an array job."""
    workers: int | None = None
    """Shards at a time (slurm: tasks in the array); one per CPU if left out."""
    resume: bool = False
    """Go on with a folder that holds a part of this data set."""
    shards: str | None = None
    """FIRST-LAST: make these only, and leave manifest.json to a later --resume."""
    on_error: Literal["skip", "stop"] | None = None
    """What a patient that cannot be read or rendered means, in place of the file's on_error."""
    address: str | None = None
    """Of a running Ray cluster (auto, host:6379, ray://host:10001); one is started here if left out."""


def make(settings: DatasetMakeSettings) -> int:
    """Make a data set of X-rays: 16-bit images, masks, and all that is known of them, as WebDataset tar shards.

    The same file gives the same bytes with every engine and number of workers. DIR then holds config.yaml, the
    shards SPLIT-000000.tar and so on, and manifest.json. A patient that cannot be used is left out and named at the
    end (exit status 3), or ends the job (--on-error stop).

    Args:
        settings: The file, the folder, and what does the work.
    """
    from ..dataset.plan.config_file import read_dataset_config

    config = read_dataset_config(settings.recipe)
    if settings.on_error is not None:
        config = replace(config, on_error=settings.on_error)
    shards = _shards(settings.shards)
    if settings.address is not None and settings.engine != "ray":
        raise InputError(f"--address belongs to --engine ray, got --engine {settings.engine}; leave it out.")
    if settings.engine == "slurm":
        _write_script(config, settings)
        return 0
    return _run(config, settings, settings.engine, shards)


command = flat(make, DatasetMakeSettings)


def _run(
    config: DatasetConfig,
    settings: DatasetMakeSettings,
    engine: Literal["local", "ray"],
    shards: tuple[int, int] | None,
) -> int:
    from ..dataset.make.job import make_dataset

    with Tally("images") as tally:
        summary = make_dataset(
            config,
            settings.output,
            engine=engine,
            workers=settings.workers,
            resume=settings.resume,
            shards=shards,
            address=settings.address,
            report=tally.report,
        )
    return _conclude(summary, tally.seconds)


def _conclude(summary: DatasetSummary, seconds: float) -> int:
    for shard in summary.shards:
        for found in shard.as_read:
            say_lines(
                notes=[f"patient {found.patient}: {line}" for line in found.assumptions],
                warnings=[f"patient {found.patient}: {line}" for line in found.doubts],
            )
    if mixture := several_cpu_types(shard.cpu_type for shard in summary.shards):
        print(f"xraykit: warning: {mixture}", file=sys.stderr)
    images = sum(shard.samples for shard in summary.shards)
    size = sum(shard.bytes for shard in summary.shards) / 1e6
    print(
        f"{summary.folder}: {images} images in {len(summary.shards)} of {len(summary.plan.shards)} shards, "
        f"{size:.1f} MB; {summary.made} shards made now, in {duration(seconds)}"
    )
    return say_left_out((f"patient {one.patient}", one.reason) for shard in summary.shards for one in shard.skipped)


def _write_script(config: DatasetConfig, settings: DatasetMakeSettings) -> None:
    from ..dataset.make.engines.slurm_array import instructions, write_slurm_script
    from ..dataset.make.job_folder import begin

    if settings.workers is not None and settings.workers < 1:
        raise InputError(f"workers must be 1 or more, got {settings.workers}.")
    if settings.shards is not None:
        raise InputError("--shards is what the tasks of the array get, got it with --engine slurm; leave it out.")
    folder = settings.output.absolute()
    plan = begin(config, folder, resume=settings.resume)
    path = write_slurm_script(folder, len(plan.shards), tasks=settings.workers)
    print(f"wrote {path} for {plan.images} images in {len(plan.shards)} shards; to run it:\n{instructions(folder)}")


def _shards(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,9})-(\d{1,9})", text)
    if found is None:
        raise InputError(f"--shards must be FIRST-LAST, for instance 0-9, got {text!r}.")
    return int(found[1]), int(found[2])
