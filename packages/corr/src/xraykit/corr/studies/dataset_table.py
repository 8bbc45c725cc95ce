"""The table dataset.csv that comes with a public data set of X-rays."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from xraykit.render import FileError
from xraykit.render.storage import text_of


def read_dataset_table(path: Path, needed: Sequence[str]) -> list[Mapping[str, str]]:
    """Rows by column, all in small letters; values without spaces around them.

    Raises:
        FileError: There is no such table, or it lacks a column.
    """
    try:
        reader = csv.DictReader(io.StringIO(text_of(path.read_bytes()), newline=""))
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        missing = [name for name in needed if name not in names]
        if missing:
            raise FileError(f"{path} must have the columns {', '.join(needed)}, got none called {missing[0]}.")
        return [{name: (row.get(name) or "").strip() for name in names} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} must be the table that comes with the data set, got: {reason}.") from error


def is_set(value: str) -> bool:
    """Whether a cell says yes: 1, 1.0, true, yes; empty is no."""
    return value.lower() in ("1", "1.0", "true", "yes")
