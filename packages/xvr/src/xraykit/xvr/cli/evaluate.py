"""`xraykit xvr evaluate`: errors, success rates, capture range and ranking, from results or from a study of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xraykit.render.commands import Tally, flat

from ..evaluate.study import RegistrationStudy
from ..refine.settings import Optimizer, RefinementSettings

if TYPE_CHECKING:
    from ..evaluate.datasets.common import Dataset
    from ..evaluate.pose_rows import PoseRow


SETTINGS_FILE = "settings.json"


@dataclass(frozen=True)
class TruthSettings:
    """X-rays with true poses."""

    dataset: Literal["deepfluoro", "ljubljana", "femur"] | None = None
    """Whose true poses count."""
    data: Path | None = None
    """Where the data set is: the original HDF5 file, or the folder of the remixed set."""
    simulate: Path | None = None
    """A CT whose X-rays are simulated with noise, scatter and collimation, in place of a data set."""
    label_map: Path | None = None
    """Label map of the CT to simulate from."""
    size: int = 256
    """Rows and columns of simulated X-rays."""


@dataclass(frozen=True)
class EvaluateSettings:
    """Measure how well registrations succeed."""

    output: Path = field(metadata={"short": "-o"})
    """Folder for poses.json, errors.csv, summary.json, summary.md and the figures; made if need be."""
    results: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """Folders of `xraykit xvr register`, one for each method, named after it; below each a folder per subject."""
    success: float = 1.0
    """A true TRE below this is a success [mm]."""
    optimizers: tuple[Optimizer, ...] = (RefinementSettings.optimizer,)
    """Without results: the methods that register, each from the same starts."""
    truth: TruthSettings = field(default_factory=TruthSettings)
    """What is registered."""
    study: RegistrationStudy = field(default_factory=RegistrationStudy)
    """Which X-rays are registered, and from where."""


def evaluate(settings: EvaluateSettings) -> None:
    """Measure how well registrations succeed, on a published data set or on X-rays simulated from a CT.

    With RESULTS, judges what `xraykit xvr register` wrote. Without, registers the X-rays of --data or --simulate from
    starts of known error. Prints the table and writes it with every single error, a capture-range curve and, of
    several methods, their ranking.

    Args:
        settings: The options.
    """
    from xraykit.render.evaluation import report_text, write_rows
    from xraykit.render.storage import check_result_folder, to_plain, write_settings

    from ..evaluate.pose_rows import FILE_NAME
    from ..evaluate.report import make_pose_report, report_page, require_figures, write_pose_report
    from ..evaluate.rows import score_poses

    require_figures()
    dataset, output = _dataset(settings), settings.output
    check_result_folder(output)
    poses, notes = _collect(settings.results, dataset) if settings.results else (_study(settings, dataset), ())
    output.mkdir(parents=True, exist_ok=True)
    write_rows(output / FILE_NAME, poses)
    rows = score_poses(poses)
    report = make_pose_report(rows, bound=settings.success, notes=notes)
    written = write_pose_report(output, report, rows, settings=to_plain(settings))
    write_settings(output / SETTINGS_FILE, settings, command="xvr evaluate", distribution="xraykit-xvr")
    print(report_text(report_page(report)))
    print("wrote " + ", ".join(str(path) for path in written))


def _dataset(settings: EvaluateSettings) -> Dataset:
    from xraykit.render import InputError, Volume

    truth, study = settings.truth, settings.study
    if (truth.simulate is None) == (truth.data is None):
        raise InputError("give either --data with --dataset, or --simulate CT, got both or neither.")
    if truth.simulate is None and truth.data is not None:
        from ..evaluate.datasets.opening import open_dataset

        if truth.dataset is None:
            raise InputError("--data needs --dataset deepfluoro, ljubljana or femur, got none.")
        return open_dataset(truth.dataset, truth.data)
    if settings.results:
        raise InputError("results are judged by the true poses of --data, got --simulate; leave the results out.")
    from ..evaluate.simulated import SimulatedDataset, SimulatedViews

    volume = Volume.from_file(str(truth.simulate), labels=truth.label_map)
    return SimulatedDataset(volume, SimulatedViews(count=study.most or 10, size=truth.size, seed=study.seed))


def _collect(results: tuple[Path, ...], dataset: Dataset) -> tuple[list[PoseRow], tuple[str, ...]]:
    from xraykit.render import InputError

    from ..evaluate.run import collect_results

    methods = {path.resolve().name: path for path in results}
    if len(methods) < len(results):
        raise InputError(f"folders of results must have different names, got {', '.join(map(str, results))}.")
    with Tally("results") as tally:
        return collect_results(dataset, methods, progress=tally.report)


def _study(settings: EvaluateSettings, dataset: Dataset) -> list[PoseRow]:
    from ..evaluate.run import registrar, run_study
    from ..refine.registration import RegistrationSettings

    methods = {name: registrar(RegistrationSettings(optimizer=name)) for name in settings.optimizers}
    with Tally("registrations") as tally:
        return run_study(dataset, methods, settings.study, progress=tally.report)


command = flat(evaluate, EvaluateSettings)
