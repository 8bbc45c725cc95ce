"""`xraykit xvr evaluate`: errors, success rates, capture range and ranking, from results or from a study of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from xraykit.render.cli.settings import ConfigOption, write_settings
from xraykit.render.commands.progress import Tally

if TYPE_CHECKING:
    from ..evaluate.datasets.common import Dataset
    from ..evaluate.pose_rows import PoseRow


@dataclass(frozen=True)
class EvaluateConfig:
    """Options of `xraykit xvr evaluate`."""

    results: tuple[Path, ...] = ()
    """Folders of `xraykit xvr register`, one for each method, named after it; below each a folder per subject."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(kw_only=True)
    """Folder for poses.json, errors.csv, summary.json, summary.md and the figures; made if need be."""
    dataset: Literal["deepfluoro", "ljubljana", "femur"] | None = field(default=None, kw_only=True)
    """Whose true poses count."""
    data: Path | None = field(default=None, kw_only=True)
    """Where the data set is: the original HDF5 file, or the folder of the remixed set."""
    simulate: Path | None = field(default=None, kw_only=True)
    """A CT whose X-rays are simulated with noise, scatter and collimation, in place of a data set."""
    levels: Annotated[tuple[float, ...], Parameter(consume_multiple=True)] = field(
        default=(1.0, 2.0, 4.0), kw_only=True
    )
    """Without results: starts drawn like the paper's initial errors, times each of these."""
    optimizers: Annotated[tuple[Literal["levenberg_marquardt", "adam"], ...], Parameter(consume_multiple=True)] = field(
        default=("levenberg_marquardt",), kw_only=True
    )
    """Without results: the methods that register, each from the same starts."""
    labels: Annotated[tuple[int, ...], Parameter(consume_multiple=True)] = field(default=(), kw_only=True)
    """Without results: register the structure with these labels; left out, the whole CT."""
    label_map: Path | None = field(default=None, kw_only=True)
    """Label map of the CT to simulate from."""
    subjects: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = field(default=(), kw_only=True)
    """Without results: which subjects of the data set; left out, all."""
    xrays: int | None = field(default=None, kw_only=True)
    """Without results: X-rays per subject; left out, all of a data set, or 10 simulated ones."""
    size: int = field(default=256, kw_only=True)
    """Rows and columns of simulated X-rays."""
    success: float = field(default=1.0, kw_only=True)
    """A true TRE below this is a success [mm]."""
    seed: int = field(default=0, kw_only=True)
    """Of simulated views, noise and starts."""


def evaluate(config: Annotated[EvaluateConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Measure how well registrations succeed, on a published data set or on X-rays simulated from a CT.

    With RESULTS, judges what `xraykit xvr register` wrote. Without, registers the X-rays of --data or --simulate from
    starts of known error. Prints the table and writes it with every single error, a capture-range curve and, of
    several methods, their ranking.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from dataclasses import asdict

    from xraykit.render.evaluation import report_text, write_rows
    from xraykit.render.storage import check_result_folder

    from ..evaluate.pose_rows import FILE_NAME
    from ..evaluate.report import make_pose_report, report_page, require_figures, write_pose_report
    from ..evaluate.rows import score_poses

    require_figures()
    dataset = _dataset(config)
    check_result_folder(config.output)
    poses, notes = _collect(config, dataset) if config.results else (_study(config, dataset), ())
    config.output.mkdir(parents=True, exist_ok=True)
    write_rows(config.output / FILE_NAME, poses)
    rows = score_poses(poses)
    report = make_pose_report(rows, bound=config.success, notes=notes)
    written = write_pose_report(config.output, report, rows, settings=asdict(config))
    write_settings(config.output / "evaluate.json", config, "xvr evaluate")
    print(report_text(report_page(report)))
    print("wrote " + ", ".join(str(path) for path in written))


def _dataset(config: EvaluateConfig) -> Dataset:
    from xraykit.render import InputError, Volume

    if (config.simulate is None) == (config.data is None):
        raise InputError("give either --data with --dataset, or --simulate CT, got both or neither.")
    if config.simulate is None and config.data is not None:
        from ..evaluate.datasets.opening import open_dataset

        if config.dataset is None:
            raise InputError("--data needs --dataset deepfluoro, ljubljana or femur, got none.")
        return open_dataset(config.dataset, config.data)
    if config.results:
        raise InputError("results are judged by the true poses of --data, got --simulate; leave the results out.")
    from ..evaluate.simulated import SimulatedDataset, SimulatedViews

    volume = Volume.from_file(str(config.simulate), labels=config.label_map)
    views = SimulatedViews(count=config.xrays or 10, size=config.size, seed=config.seed)
    return SimulatedDataset(volume, views)


def _collect(config: EvaluateConfig, dataset: Dataset) -> tuple[list[PoseRow], tuple[str, ...]]:
    from xraykit.render import InputError

    from ..evaluate.run import collect_results

    methods = {path.resolve().name: path for path in config.results}
    if len(methods) < len(config.results):
        raise InputError(f"folders of results must have different names, got {', '.join(map(str, config.results))}.")
    with Tally("results") as tally:
        return collect_results(dataset, methods, progress=tally.report)


def _study(config: EvaluateConfig, dataset: Dataset) -> list[PoseRow]:
    from ..evaluate.run import Study, registrar, run_study
    from ..refine.registration import RegistrationSettings

    study = Study(
        levels=config.levels,
        labels=config.labels,
        subjects=config.subjects,
        most=config.xrays,
        seed=config.seed,
    )
    methods = {name: registrar(RegistrationSettings(optimizer=name)) for name in config.optimizers}
    with Tally("registrations") as tally:
        return run_study(dataset, methods, study, progress=tally.report)
