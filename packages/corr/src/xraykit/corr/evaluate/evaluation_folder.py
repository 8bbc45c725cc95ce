"""The folder of an evaluation: settings that a resume must share, and a folder of its own for each arm."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from xraykit.render import FileError, OutputError
from xraykit.render.storage import (
    check_result_folder,
    check_same_settings,
    finite_or_none,
    held_folder,
    make_folder,
    read_json_object,
    write_atomically,
    write_settings,
)
from xraykit.render.training import RunSettings, is_follower

from .pair_rows import ROWS

SETTINGS, FACTS, PLAN, CHECKPOINT = "settings.json", "facts.json", "plan.json", "last.ckpt"
FREE_ON_RESUME = ("resume", "output", "workers", "device", "minutes", "cache")
"""Settings that may change on a resume; the number of steps stays as it was planned."""


def check_evaluation(run: RunSettings, settings: object) -> None:
    """Refuse a folder that `opened_evaluation` would, before anything costly is read for it.

    Raises:
        OutputError: The folder cannot be written, or holds another evaluation.
        FileError: Nothing to resume there. InputError: It was begun with other settings.
    """
    path = run.output / SETTINGS
    check_result_folder(run.output)
    if run.resume:
        if not path.is_file():
            raise FileError(f"--resume needs {SETTINGS} in {run.output}, got none; leave --resume out to begin anew.")
        check_same_settings(path, settings, free=FREE_ON_RESUME)
    elif path.exists():
        raise OutputError(f"{run.output} already holds an evaluation; add --resume to go on, or choose another folder.")


@contextmanager
def opened_evaluation(run: RunSettings, settings: object, *, command: str) -> Iterator[None]:
    """A folder with the settings in it, or with the same ones where it goes on; this process's within the block.

    Raises:
        As `check_evaluation`, and OutputError where the folder is in use by another process.
    """
    with nullcontext() if is_follower() else held_folder(run.output):
        check_evaluation(run, settings)
        if not run.resume:
            make_folder(run.output)
            write_settings(run.output / SETTINGS, settings, command=command, distribution="xraykit-corr")
        yield


def is_done(folder: Path) -> bool:
    """Whether an arm is done: its rows are written last."""
    return (folder / ROWS).is_file()


def has_begun(folder: Path) -> bool:
    """Whether a training in a folder has a checkpoint to go on from."""
    return (folder / CHECKPOINT).is_file()


def write_facts(folder: Path, facts: Mapping[str, Any], name: str = FACTS) -> None:
    """A JSON file of what is known of an arm besides its rows."""
    text = json.dumps(finite_or_none(facts), indent=1, default=str) + "\n"
    write_atomically(folder / name, lambda file: file.write(text.encode()))


def read_facts(folder: Path, name: str = FACTS) -> dict[str, Any]:
    """What `write_facts` wrote.

    Raises:
        FileError: It is missing or damaged.
    """
    return read_json_object(folder / name, what="a file of an evaluation")
