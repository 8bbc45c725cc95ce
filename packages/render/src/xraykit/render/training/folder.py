"""The folder of a training: its settings, which a resume must share, and what it leaves there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError, OutputError
from ..storage.settings_file import read_table, write_settings
from ..storage.typed_settings import to_plain
from .curve import CurveRow
from .settings import RunSettings

SETTINGS, CHECKPOINT, WEIGHTS, EVENTS = "settings.json", "last.ckpt", "weights", "tensorboard"
FREE_ON_RESUME = ("resume", "output", "workers", "device", "devices", "nodes", "strategy", "steps", "minutes")
"""Settings that do not change what one step does; for workers the data set's own state may object."""


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
        _check_same(to_plain(settings), folder / SETTINGS)
        return checkpoint
    if checkpoint.exists():
        raise OutputError(f"{folder} already holds a training; add --resume to go on, or choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} must be a folder that can be made, got {error.strerror or error}.") from error
    write_settings(folder / SETTINGS, settings, command=command, distribution=distribution)
    return None


def _check_same(now: Mapping[str, Any], path: Path) -> None:
    try:
        saved = read_table(path)
    except FileError as error:
        raise FileError(f"--resume needs the settings of the training so far: {error}") from error
    before, missing = dict(_leaves(saved)), object()
    for name, value in _leaves(now):
        if name.rpartition(".")[2] not in FREE_ON_RESUME and before.get(name, missing) != value:
            raise InputError(
                f"--resume goes on with the same settings, but {name} was {before.get(name)!r} and is {value!r}; "
                "use the old value, or begin anew in another folder."
            )


def _leaves(values: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Nested values as (names joined by dots, value)."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{place}{name}.")
        else:
            yield place + name, value
