"""The folder of a training: its settings, which a resume must share, and what it leaves there."""

from __future__ import annotations

import contextlib
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, OutputError
from ..storage.atomic_write import check_result_folder
from ..storage.folder_lock import hold_folder, release_folder
from ..storage.output_folder import make_folder
from ..storage.same_settings import check_same_settings
from ..storage.settings_file import write_settings
from .checkpoint import CHECKPOINT, CHECKPOINT_PART, WEIGHTS, check_whole
from .curve import CURVE_CSV, CURVE_JSON, REPORT, CurveRow
from .devices import is_follower
from .settings import RunSettings, completed_run

SETTINGS, EVENTS, INPUTS = "settings.json", "tensorboard", "inputs.json"
FREE_ON_RESUME = ("resume", "output", "workers", "device", "devices", "nodes", "strategy", "steps", "minutes")
"""Settings that may change on a resume; for workers the data set's own state may object.

With other devices, nodes or another strategy a training goes on, but not with the bits of one that kept them.
"""


@dataclass(frozen=True)
class TrainingRun:
    """What a training has left behind.

    Args:
        folder: Where everything is.
        weights: Folder of the weights.
        rows: The curve, see `Journal`.
        batches: How many.
        seconds: Wall time.
        left_out: (name, sentence) of each input that could not be learned from.
    """

    folder: Path
    weights: Path
    rows: tuple[CurveRow, ...]
    batches: int
    seconds: float
    left_out: tuple[tuple[str, str], ...] = ()


def check_folder(run: RunSettings) -> None:
    """Refuse a folder that `prepare_folder` would, before anything costly is made for it.

    Args:
        run: Where, and whether to resume.

    Raises:
        OutputError: The folder holds another training. FileError: There is nothing to resume.
    """
    folder, there = run.output, (run.output / CHECKPOINT).is_file()
    if run.resume and not there:
        raise FileError(f"--resume needs {CHECKPOINT} in {folder}, got none; leave --resume out to begin anew.")
    if there and not run.resume:
        raise OutputError(f"{folder} already holds a training; add --resume to go on, or choose another folder.")


def checked_run(run: RunSettings) -> RunSettings:
    """The settings with device and precision of this machine, once their folder is found fit for them.

    What a training asks first, before anything costly is read or made.

    Args:
        run: As the user gave them.

    Raises:
        InputError, OutputError, FileError: As `completed_run` and `check_folder`; or nothing can be written there.
    """
    run = completed_run(run)
    check_folder(run)
    check_result_folder(run.output)
    return run


def prepare_folder(
    run: RunSettings, settings: object, *, command: str = "train", distribution: str = "xraykit-render"
) -> Path | None:
    """Make the output folder with the settings in it, or check that a resume has the same ones.

    The folder is this process's from now on, until `fit` ends; what a killed training left half-written there goes.

    Args:
        run: Where, and whether to resume.
        settings: All settings of the training, complete: a dataclass, nested or not.
        command: Who trains, for settings.json.
        distribution: Whose command.

    Returns:
        The checkpoint to go on from, None for a new training.

    Raises:
        OutputError: The folder cannot be written, holds another training, or is in use by another process.
        FileError: Nothing to resume there, or a damaged checkpoint. InputError: It was made with other settings.
    """
    folder, checkpoint = run.output, run.output / CHECKPOINT
    check_folder(run)
    if not run.resume:
        make_folder(folder)
    with ExitStack() as undo:
        if not is_follower():
            if hold_folder(folder):
                undo.callback(release_folder, folder)
            _sweep(folder)
        if run.resume:
            _check_same(settings, folder / SETTINGS)
            check_whole(checkpoint)
        if not is_follower():
            write_settings(folder / SETTINGS, settings, command=command, distribution=distribution)
        undo.pop_all()
    return checkpoint if run.resume else None


def _sweep(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left beside the files of a training."""
    own = (SETTINGS, CURVE_CSV, CURVE_JSON, REPORT, INPUTS)
    parts = [path for name in own for path in folder.glob(f".{name}.*.part")]
    for path in (folder / CHECKPOINT_PART, *parts, *(folder / WEIGHTS).glob(".*.part")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _check_same(settings: object, path: Path) -> None:
    try:
        check_same_settings(path, settings, free=FREE_ON_RESUME)
    except FileError as error:
        raise FileError(f"--resume needs the settings of the training so far: {error}") from error
