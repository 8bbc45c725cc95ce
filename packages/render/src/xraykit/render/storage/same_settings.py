"""Whether a run that goes on has the settings that it began with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from .settings_file import read_settings
from .settings_leaves import leaves
from .typed_settings import to_plain


def check_same_settings(path: str | Path, settings: object, *, free: Collection[str] = ()) -> None:
    """Refuse to go on with other settings than those that the results so far were made with.

    Args:
        path: The file of settings beside the results, as `write_settings` left it.
        settings: Those of now, of the same class.
        free: Flat names of what may change.

    Raises:
        InputError: What is another now, by its option.
        FileError: The file cannot be read as such settings.
    """
    before, now = to_plain(read_settings(type(settings), path)), to_plain(settings)
    known = leaves(type(settings)).items()
    changed = [name for name, leaf in known if name not in free and _at(before, leaf.path) != _at(now, leaf.path)]
    if changed:
        names = ", ".join("--" + name.replace("_", "-") for name in changed)
        raise InputError(f"--resume must go on with the options of {path}, got others: {names}; leave --resume out.")


def _at(table: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = table
    for part in path:
        value = value[part]
    return value
