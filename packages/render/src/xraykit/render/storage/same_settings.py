"""Whether a run that goes on has the settings that it began with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError
from .settings_file import noted_folder, read_settings
from .settings_leaves import leaves
from .settings_paths import absolute_paths
from .typed_settings import to_plain


def check_same_settings(path: str | Path, settings: object, *, free: Collection[str] = ()) -> None:
    """Refuse to go on with other settings than those that the results so far were made with.

    Args:
        path: The file of settings beside the results, as `write_settings` left it.
        settings: Those of now, of the same class.
        free: Flat names of what may change.

    Raises:
        InputError: What is another now, by its option and with both values.
        FileError: The file cannot be read as such settings.
    """
    old, folder = read_settings(type(settings), path), noted_folder(path)
    if folder is not None:  # the same files, whatever folder they are named from
        old, settings = absolute_paths(old, folder), absolute_paths(settings, Path.cwd())
    before, now = to_plain(old), to_plain(settings)
    known = leaves(type(settings)).items()
    changed = {
        name: leaf.path for name, leaf in known if name not in free and _at(before, leaf.path) != _at(now, leaf.path)
    }
    if changed:
        names = ", ".join("--" + name.replace("_", "-") for name in changed)
        place = next(iter(changed.values()))
        raise InputError(
            f"--resume must go on with the options of {path}, got others: {names}; leave --resume out "
            f"({'.'.join(place)} was {_at(before, place)!r} and is {_at(now, place)!r}; use the old value, or begin "
            "anew in another folder)."
        )


def _at(table: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = table
    for part in path:
        value = value[part]
    return value
