"""A whole evaluation, from settings to a folder: poses from results or from a study, errors, summary, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from xraykit.render import InputError, Volume
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import write_rows
from xraykit.render.storage import atomic_folder, finding_sentences, held_folder, to_plain, write_settings

from ..refine.climb_settings import RegistrationSettings
from .datasets.common import Dataset
from .datasets.names import DATASET_NAMES
from .datasets.opening import open_dataset
from .pose_rows import FILE_NAME, PoseRow
from .report import FILES, PoseReport, make_pose_report, require_figures, write_pose_report
from .rows import score_poses
from .run import collect_results, registrar, run_study
from .settings import EvaluateSettings
from .simulated import SimulatedDataset, SimulatedViews

SETTINGS_FILE = "settings.json"


def evaluate_registrations(
    settings: EvaluateSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    left_out: LeftOut | None = None,
) -> tuple[PoseReport, tuple[Path, ...]]:
    """Judge the results that the settings name, or those of a study that is made now, and write what was found.

    The folder is this job's from the beginning, poses come first, and all other files appear together at the end.

    Args:
        settings: All there is to say.
        progress: Called with how many results or registrations are done, and how many there are.
        left_out: Takes results that cannot be used, while the others are judged; None ends at the first.

    Returns:
        The report, and the files it was written to.

    Raises:
        InputError: Settings that contradict each other.
        FileError: A data set, CT or result that cannot be read.
        OutputError: The folder cannot be written to, or is in use by another process.
        BackendUnavailableError: matplotlib is not installed.
    """
    require_figures()
    dataset, output = truth_of(settings), settings.output
    with held_folder(output):
        poses, notes = _poses(settings, dataset, progress, left_out)
        if isinstance(dataset, SimulatedDataset):
            notes += tuple(
                f"CT, {line}" for line in finding_sentences({**dataset.volume.doubts, **dataset.volume.assumptions})
            )
        write_rows(output / FILE_NAME, poses)  # the work of hours, before anything is made of it
        rows = score_poses(poses)
        report = make_pose_report(rows, bound=settings.success, notes=notes)
        report = replace(report, left_out=() if left_out is None else left_out.once)
        with atomic_folder(output, owned=(*FILES, SETTINGS_FILE)) as staging:
            written = write_pose_report(staging, report, rows, settings=to_plain(settings))
            write_settings(staging / SETTINGS_FILE, settings, command="xvr evaluate", distribution="xraykit-xvr")
    return report, tuple(output / path.name for path in written)


def truth_of(settings: EvaluateSettings) -> Dataset:
    """The X-rays whose true poses count: a published data set, or simulated ones.

    Raises:
        InputError: Both or neither, a data set without its name, or results of simulated X-rays.
        FileError: The data or the CT cannot be read.
    """
    truth, study = settings.truth, settings.study
    if (truth.simulate is None) == (truth.data is None):
        raise InputError("give either --data with --dataset, or --simulate CT, got both or neither.")
    if truth.data is not None:
        if truth.dataset is None:
            raise InputError(
                f"--data needs --dataset {', '.join(DATASET_NAMES[:-1])} or {DATASET_NAMES[-1]}, got none."
            )
        return open_dataset(truth.dataset, truth.data)
    if settings.results:
        raise InputError("results are judged by the true poses of --data, got --simulate; leave the results out.")
    volume = Volume.from_file(str(truth.simulate), labels=truth.label_map, **truth.volume.reading)
    return SimulatedDataset(volume, SimulatedViews(count=study.most or 10, size=truth.size, seed=study.seed))


def _poses(
    settings: EvaluateSettings,
    dataset: Dataset,
    progress: Callable[[int, int], None] | None,
    left_out: LeftOut | None,
) -> tuple[list[PoseRow], tuple[str, ...]]:
    """A row for each registration, and what a reader has to know."""
    if not settings.results:
        methods = {name: registrar(RegistrationSettings(optimizer=name)) for name in settings.optimizers}
        return run_study(dataset, methods, settings.study, progress=progress, left_out=left_out), ()
    folders = {path.resolve().name: path for path in settings.results}
    if len(folders) < len(settings.results):
        given = ", ".join(map(str, settings.results))
        raise InputError(f"folders of results must have different names, got {given}.")
    return collect_results(dataset, folders, progress=progress, left_out=left_out)
