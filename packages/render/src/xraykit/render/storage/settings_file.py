"""Settings in a YAML, TOML or JSON file: read with every key and value checked, written whole or not at all."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ..errors import FileError, InputError
from .atomic_write import write_atomically
from .decoded_text import text_of
from .json_object import parse_json
from .provenance import Provenance, findings_record
from .settings_paths import working_folder_from
from .toml_text import toml_text, without_none
from .typed_settings import from_plain, to_plain
from .versions import installed_version

OWN_KEY = "xraykit"
"""The table in a settings file that says which command wrote it."""
WORKING_FOLDER = "working_folder"
MOST_BYTES = 1 << 20

T = TypeVar("T")


def read_settings(
    cls: type[T], path: str | Path, *, what: str = "the table of settings", relative_paths: bool = False
) -> T:
    """The settings in a .yaml, .yml, .toml or .json file; what it leaves out has its default.

    Args:
        cls: A dataclass whose fields may be dataclasses in turn.
        path: The file.
        what: What to call the whole file in messages.
        relative_paths: Paths in the file begin at its folder and not at the working folder, and must exist.

    Raises:
        FileError: `read_table` or `from_plain` refuses it; the message names the file and the place in it.
    """
    path = Path(path)
    table = read_table(path)
    try:
        return from_plain(cls, table, what=what, folder=path.parent if relative_paths else None)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error


def read_table(path: str | Path) -> dict[str, Any]:
    """The mapping in a .yaml, .yml, .toml or .json file of at most 1 MiB, without the table of its writer.

    Raises:
        FileError: Missing, too large, of another type or not well-formed, a key given twice, an alias, or no mapping.
    """
    return {key: value for key, value in _whole_table(Path(path)).items() if key != OWN_KEY}


def noted_folder(path: str | Path) -> Path | None:
    """Where relative paths in a file of settings begin, as `write_settings` noted it; None where it did not.

    Raises:
        FileError: As `read_table`.
    """
    path = Path(path)
    own = _whole_table(path).get(OWN_KEY)
    noted = own.get(WORKING_FOLDER) if isinstance(own, dict) else None
    return path.resolve().parent / noted if isinstance(noted, str) else None


def _whole_table(path: Path) -> dict[str, Any]:
    """The mapping in a file, with the table of its writer."""
    readers: dict[str, Callable[[str], Any]] = {
        ".toml": tomllib.loads,
        ".json": partial(parse_json, place=str(path)),
        ".yaml": _from_yaml,
        ".yml": _from_yaml,
    }
    if path.suffix.lower() not in readers:
        raise FileError(f"settings need a .toml, .yaml or .json file, got {path}.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FileError(f"{path} must be under 1 MiB, got {path.stat().st_size} bytes.")
        values = readers[path.suffix.lower()](text_of(path.read_bytes()))
    except OSError as error:
        raise FileError(f"settings cannot be read from {path}: {error.strerror or error}; check the path.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, FileError):
            raise
        kind = path.suffix[1:].upper().replace("YML", "YAML")
        problem = " ".join(str(error).split())[:200]
        raise FileError(f"{path} must be well-formed {kind}, got: {problem}.") from error
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise FileError(f"{path} must hold a table of keys and values, got {type(values).__name__}.")
    return values


def write_settings(
    path: str | Path,
    settings: object,
    *,
    command: str,
    distribution: str,
    found: Provenance | None = None,
    note_folder: bool = False,
) -> Path:
    """Write settings that `read_settings` and --config read again, with who wrote them.

    Args:
        path: A .json, .yaml, .yml or .toml file. TOML has no null: it leaves out what is None.
        settings: A settings object.
        command: Which command they are of, "render drr".
        distribution: Whose version is noted, "xraykit-render".
        found: What the reader of the input found; what was assumed and what is doubtful is noted.
        note_folder: Note the working folder, where relative paths begin, as it is reached from the file's, see
            `noted_folder`.

    Returns:
        The path.

    Raises:
        InputError: Another ending, a value that is no setting, or a None that TOML cannot say: its default is another.
        OutputError: The file could not be written.
    """
    path = Path(path)
    writers: dict[str, Callable[[Mapping[str, Any]], str]] = {
        ".toml": toml_text,
        ".json": _json,
        ".yaml": _yaml,
        ".yml": _yaml,
    }
    if path.suffix.lower() not in writers:
        raise InputError(f"settings are written to a .json, .yaml, .yml or .toml file, got {path}.")
    own: dict[str, Any] = {"command": command, "distribution": distribution}
    own["version"] = installed_version(distribution)
    if note_folder:
        own[WORKING_FOLDER] = working_folder_from(path.parent)
    if found is not None and (record := findings_record(found)):
        own["input"] = record
    plain = to_plain(settings)
    if path.suffix.lower() == ".toml" and to_plain(from_plain(type(settings), without_none(plain))) != plain:
        raise InputError(f"{path} cannot hold a None whose default is another; write .json or .yaml.")
    text = writers[path.suffix.lower()]({OWN_KEY: own, **plain})
    return write_atomically(path, lambda file: file.write(text.encode()))


def _from_yaml(text: str) -> Any:
    from .strict_yaml import load_yaml

    return load_yaml(text)


def _json(table: Mapping[str, Any]) -> str:
    return json.dumps(table, indent=2, allow_nan=False) + "\n"


def _yaml(table: Mapping[str, Any]) -> str:
    from .strict_yaml import dump_yaml

    return dump_yaml(table)
