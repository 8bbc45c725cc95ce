"""The folder of a training: its settings, which a resume must share, and what it leaves there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, OutputError
from ..storage.output_folder import make_folder
from ..storage.same_settings import check_same_settings
from ..storage.settings_file import write_settings
from .curve import CurveRow
from .settings import RunSettings

SETTINGS, CHECKPOINT, WEIGHTS, EVENTS = "settings.json", "last.ckpt", "weights", "tensorboard"
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
    """

    folder: Path
    weights: Path
    rows: tuple[CurveRow, ...]
    batches: int
    seconds: float


def prepare_folder(
    run: RunSettings, settings: object, *, command: str = "train", distribution: str = "xraykit-render"
) -> Path | None:
    """Make the output folder with the settings in it, or check that a resume has the same ones.

    Args:
        run: Where, and whether to resume.
        settings: All settings of the training, complete: a dataclass, nested or not.
        command: Who trains, for settings.json.
        distribution: Whose command.

    Returns:
        The checkpoint to go on from, None for a new training.

    Raises:
        OutputError: The folder cannot be written, or holds another training.
        FileError: Nothing to resume there. InputError: It was made with other settings.
    """
    folder, checkpoint = run.output, run.output / CHECKPOINT
    if run.resume:
        if not checkpoint.is_file():
            raise FileError(f"--resume needs {CHECKPOINT} in {folder}, got none; leave --resume out to begin anew.")
        _check_same(settings, folder / SETTINGS)
        return checkpoint
    if checkpoint.exists():
        raise OutputError(f"{folder} already holds a training; add --resume to go on, or choose another folder.")
    make_folder(folder)
    write_settings(folder / SETTINGS, settings, command=command, distribution=distribution)
    return None


def _check_same(settings: object, path: Path) -> None:
    try:
        check_same_settings(path, settings, free=FREE_ON_RESUME)
    except FileError as error:
        raise FileError(f"--resume needs the settings of the training so far: {error}") from error
