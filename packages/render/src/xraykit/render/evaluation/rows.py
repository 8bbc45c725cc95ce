"""One row a case: a flat dataclass, written as CSV or JSON and read back with its types.

An evaluation goes in two passes. The first predicts and writes one row for each case, with a digest of what it was
made from; the second reads rows and scores them, so that a new score needs no new prediction.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import types
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import FileError, InputError
from ..storage.atomic_write import write_atomically
from ..storage.digest import file_sha256

T = TypeVar("T")
LARGEST = 1 << 28  # bytes


def input_digest(*inputs: str | Path | bytes) -> str:
    """The SHA-256 of everything that a case was made from, 64 hexadecimal digits; the order counts.

    Args:
        inputs: Files, folders (all files in them with their names) or bytes.

    Raises:
        FileError: A file that cannot be read, or nothing by that name.
    """
    total = hashlib.sha256()
    for thing in inputs:
        if isinstance(thing, bytes):
            total.update(b"bytes " + hashlib.sha256(thing).digest())
        elif Path(thing).is_dir():
            for path in sorted(p for p in Path(thing).rglob("*") if p.is_file()):
                total.update(f"file {path.relative_to(thing).as_posix()} {file_sha256(path)}\n".encode())
        else:
            total.update(f"file {file_sha256(thing)}\n".encode())
    return total.hexdigest()


def write_rows(path: str | Path, rows: Sequence[Any]) -> Path:
    """Write rows of one dataclass as CSV with a header, or as JSON, whole or not at all.

    `inf` and `nan` stand as such in CSV and as texts in JSON; None is an empty cell in CSV.

    Args:
        path: Ends in .csv or .json.
        rows: Instances of one dataclass with fields of text, whole and other numbers, booleans, None, or tuples of
            these.

    Returns:
        The path.

    Raises:
        InputError: Another ending, no rows, or rows of several kinds.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    if not rows or any(type(row) is not type(rows[0]) for row in rows):
        raise InputError(f"rows must be of one kind and at least one, got {len({type(r) for r in rows})} kinds.")
    names = [field.name for field in fields(rows[0])]
    if path.suffix == ".json":
        plain = ({name: _plain(value) for name, value in asdict(row).items()} for row in rows)
        text = '{"rows": [\n' + ",\n".join(json.dumps(row, allow_nan=False) for row in plain) + "\n]}\n"
        return write_atomically(path, lambda file: file.write(text.encode()))
    if path.suffix != ".csv":
        raise InputError(f"rows are written to a .csv or .json file, got {path}.")
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: json.dumps(_plain(v)) if isinstance(v, tuple) else v for name, v in asdict(row).items()} for row in rows
    )
    return write_atomically(path, lambda file: file.write(table.getvalue().encode()))


def read_rows(path: str | Path, kind: type[T]) -> list[T]:
    """The rows that `write_rows` wrote.

    Args:
        path: A .csv or .json file.
        kind: The dataclass of the rows.

    Raises:
        FileError: No such file, another content, columns other than the fields, or a value of another type; it says
            in which row.
    """
    path = Path(path)
    hints = get_type_hints(kind)
    types_ = {field.name: hints[field.name] for field in fields(kind)}  # type: ignore[arg-type]
    rows: list[T] = []
    for number, values in enumerate(_table(path), 1):
        if values.keys() != types_.keys():
            different = ", ".join(sorted(map(str, values.keys() ^ types_.keys()))[:8])
            raise FileError(f"{path} row {number} must have the columns of {kind.__name__}, got others: {different}.")
        read: dict[str, Any] = {}
        for name, type_ in types_.items():
            try:
                read[name] = _value(values[name], type_)
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                shown = str(values[name])[:60]
                raise FileError(f"{path} row {number} must have another {name} than {shown!r}: {error}.") from error
        try:
            rows.append(kind(**read))
        except InputError as error:
            raise FileError(f"{path} row {number}: {error}") from error
    return rows


def _table(path: Path) -> list[dict[str, Any]]:
    """The rows as they stand in the file."""
    try:
        if path.stat().st_size > LARGEST:
            raise FileError(f"{path} must be at most {LARGEST} bytes, got {path.stat().st_size}.")
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            rows = json.loads(text)["rows"]
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise ValueError("no list of rows")
            return rows
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise FileError(f"{path} must be a file of rows, got {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} must hold rows as CSV or JSON, got something else ({error}).") from error


def _value(given: Any, type_: Any) -> Any:
    """A cell as the field's type; ValueError where it is none."""
    origin, inner = get_origin(type_), get_args(type_)
    if origin in (Union, types.UnionType):
        if given is None or given == "":
            return None
        return _value(given, next(one for one in inner if one is not type(None)))
    if origin is Literal:
        if given not in inner:
            raise ValueError(f"it must be one of {', '.join(map(str, inner))}")
        return given
    if origin is tuple:
        items = json.loads(given) if isinstance(given, str) else given
        if not isinstance(items, list):
            raise ValueError("it must be a list")
        return tuple(_value(item, inner[0]) for item in items)
    if type_ is bool:
        if given not in (True, False, "True", "False"):
            raise ValueError("it must be True or False")
        return given in (True, "True")
    if type_ in (int, float):
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise ValueError("it must be a number")
        if type_ is int and isinstance(given, float):
            raise ValueError("it must be a whole number")
        return type_(given)
    if not isinstance(given, str):
        raise ValueError("it must be text")
    return given


def _plain(value: Any) -> Any:
    """The value for JSON: tuples as lists, numbers that are not finite as texts."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
