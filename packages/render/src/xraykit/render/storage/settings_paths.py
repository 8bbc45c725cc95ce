"""Relative paths in a file of settings: where they begin, and the same settings with paths that hold from anywhere."""

from __future__ import annotations

import os
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def working_folder_from(folder: Path) -> str:
    """The working folder as it is reached from another one, so that both may move together; else by its name."""
    here = Path.cwd()
    try:
        return Path(os.path.relpath(here, folder.resolve())).as_posix()
    except ValueError:  # on another drive
        return str(here)


def absolute_paths(settings: T, folder: Path) -> T:
    """The settings (a dataclass) with relative paths begun at a folder; all else, text too, as it was."""
    return _absolute(settings, folder)


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return Path(os.path.abspath(folder / value))
    if isinstance(value, tuple):
        return tuple(_absolute(one, folder) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: getattr(value, part.name) for part in fields(value) if part.init}
        return replace(value, **{name: _absolute(one, folder) for name, one in parts.items()})
    return value
