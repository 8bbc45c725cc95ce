"""The unit of work that every engine hands out: one shard of a data set's folder, made in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from ...cpu_type import cpu_type
from ...errors import BackendUnavailableError, InputError, OutputError, XraykitError
from ...files.header_texts import without_header_texts
from ..format.manifest import AsRead, ShardRecord, Skipped, write_receipt
from ..plan.config import DatasetConfig
from ..plan.plan import PatientPlan, ShardPlan
from .job_folder import opened
from .sample import make_samples, program_versions
from .shard import Member, write_shard

ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""Environment in which a working process starts: sums are split by threads, so their number has a say in the bits."""


def make_shard(folder: Path, number: int, config_sha256: str, report: Callable[[int], None]) -> ShardRecord:
    """Make one shard and its receipt. The process must have been started with `ONE_THREAD` in its environment.

    Args:
        folder: Of the data set, with its config.yaml.
        number: Place of the shard in the plan.
        config_sha256: Of the job; the folder's configuration must have the same.
        report: Told how many images were done, after each patient.

    Raises:
        OutputError: The disk refused, or this machine sees another configuration.
        InputError: A patient could not be made, and the configuration says to stop.
    """
    torch.set_num_threads(1)
    plan = opened(folder, config_sha256)
    shard, skipped, as_read = plan.shards[number], [], []
    written = write_shard(folder / shard.name, _members(shard, plan.config, skipped, as_read, report))
    left_out = {entry.patient for entry in skipped}
    record = ShardRecord(
        name=shard.name,
        split=shard.split,
        sha256=written.sha256,
        bytes=written.bytes,
        samples=written.samples,
        patients=tuple(patient.number for patient in shard.patients if patient.number not in left_out),
        skipped=tuple(skipped),
        as_read=tuple(as_read),
        cpu_type=cpu_type(),
    )
    write_receipt(folder, config_sha256, program_versions(), record)
    return record


def _members(
    shard: ShardPlan,
    config: DatasetConfig,
    skipped: list[Skipped],
    as_read: list[AsRead],
    report: Callable[[int], None],
) -> Iterator[Member]:
    """The members of every patient that can be made; the others are added to `skipped`, or end the job."""
    for patient in shard.patients:
        try:
            samples = make_samples(patient, config, shard.split)
        except (OutputError, BackendUnavailableError):
            raise
        except XraykitError as error:
            reason = _without_folder(str(error), config)
            if config.on_error == "stop":
                raise InputError(f"patient {patient.number} ({_origin(patient)}) cannot be used: {reason}") from error
            for source in filter(None, (patient.file, patient.labels)):
                reason = without_header_texts(reason, source)
            skipped.append(Skipped(patient.number, reason))
            samples = ()
        if samples and samples[0].as_read:
            found = samples[0].as_read
            lines = {name: tuple(found.get(name, ())) for name in ("assumptions", "doubts")}
            as_read.append(AsRead(patient.number, **lines))
        for sample in samples:
            yield from sample.members
        report(config.views.per_patient)


def _origin(patient: PatientPlan) -> str:
    return patient.file.name if patient.file is not None else f"generated, {patient.region}"


def _without_folder(text: str, config: DatasetConfig) -> str:
    """Messages name files; where the folder lies is nobody's business who gets the data set."""
    return text if config.patients.ct.folder is None else text.replace(f"{config.patients.ct.folder}{os.sep}", "")
