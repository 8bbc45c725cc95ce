"""A table of features: one row an X-ray, in a .parquet, .npz or .csv file with what made them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render import FileError, InputError
from xraykit.render.extras import require
from xraykit.render.storage import open_npz, parse_json_object, read_json_object, write_atomically

SUFFIXES = (".parquet", ".npz", ".csv")
LABEL, RECORD = "label_", "xraykit"
MOST_RECORD = 1 << 28  # bytes


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Features of N X-rays.

    Args:
        names: Of the X-rays: "folder/file.dcm", with "#12" for a frame.
        features: (N, D) float32.
        labels: N classes by what they are of ("region"), "" where nothing was stated.
        record: What made them: `backbone` (SHA-256 of config and weights), `weights`, `config`, `notes` (sentence to
            row numbers, what was assumed), `skipped` (name and sentence of damaged files), `version`.

    Raises:
        InputError: Names, features and labels that do not fit each other.
    """

    names: tuple[str, ...]
    features: NDArray[np.float32]
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(self.names), *map(len, self.labels.values())}
        if self.features.ndim != 2 or lengths != {len(self.features)}:
            raise InputError(
                f"features must be (N, D) with N names and N labels of each kind, got {self.features.shape} and "
                f"{sorted(lengths)}."
            )

    def __len__(self) -> int:
        return len(self.names)


def check_table_path(path: str | Path) -> Path:
    """The path, if its ending is one that a table can have and what that needs is installed.

    Raises:
        InputError: Another ending. BackendUnavailableError: pyarrow is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"a table of features must end in {', '.join(SUFFIXES)}, got {path}; rename it.")
    if path.suffix.lower() == ".parquet":
        _parquet()
    return path


def write_embeddings(path: str | Path, table: Embeddings) -> Path:
    """Write a table, whole or not at all.

    - .parquet: columns name, label_region and such, f0 to f(D-1) as float32; the record as JSON in the schema's
      metadata under "xraykit".
    - .npz: arrays names, features, label_region and such, and the record as JSON text under "xraykit".
    - .csv: the columns of parquet, nine digits, which hold a float32 exactly; the record beside it as FILE.csv.json.

    Returns:
        The path.

    Raises:
        InputError: Another ending. OutputError: It cannot be written.
        BackendUnavailableError: pyarrow is not installed.
    """
    path = check_table_path(path)
    text = json.dumps(dict(table.record), allow_nan=False)
    columns = {LABEL + kind: classes for kind, classes in table.labels.items()}
    if path.suffix.lower() == ".npz":
        arrays = {name: np.array(classes, dtype=np.str_) for name, classes in columns.items()}
        names = np.array(table.names, dtype=np.str_)
        return write_atomically(
            path,
            lambda file: np.savez(
                file, allow_pickle=False, names=names, features=table.features, **arrays, **{RECORD: np.array(text)}
            ),
        )
    if path.suffix.lower() == ".csv":
        write_atomically(_beside(path), lambda file: file.write((text + "\n").encode()))
        return write_atomically(path, lambda file: _write_csv(file, table, columns))
    arrow, parquet = _arrow(), _parquet()
    numbers = {f"f{n}": column for n, column in enumerate(np.ascontiguousarray(table.features.T))}
    content = arrow.table({"name": arrow.array(table.names, arrow.string()), **_texts(arrow, columns), **numbers})
    content = content.replace_schema_metadata({RECORD: text})
    return write_atomically(path, lambda file: parquet.write_table(content, file, compression="zstd"))


def read_embeddings(path: str | Path) -> Embeddings:
    """A table that `write_embeddings` wrote.

    Raises:
        FileError: No such file, or something else in it. InputError: Another ending.
        BackendUnavailableError: pyarrow is not installed.
    """
    path = check_table_path(path)
    if not path.is_file():
        raise FileError(f"a table of features was expected at {path}, got no such file; check the path.")
    read = {".npz": _read_npz, ".csv": _read_csv, ".parquet": _read_parquet}[path.suffix.lower()]
    try:
        return read(path)
    except FileError:
        raise
    except (OSError, ValueError, KeyError, TypeError, StopIteration, csv.Error) as error:
        problem = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileError(f"{path} must hold a table of features, got something else ({problem}).") from error


def _read_npz(path: Path) -> Embeddings:
    with open_npz(path, what="a table of features", remedy="write it again") as arrays:
        kinds = [name for name in arrays if name.startswith(LABEL)]
        return Embeddings(
            tuple(arrays["names"].tolist()),
            np.asarray(arrays["features"], dtype=np.float32),
            {kind.removeprefix(LABEL): tuple(arrays[kind].tolist()) for kind in kinds},
            parse_json_object(str(arrays[RECORD]), place=str(path)),
        )


def _read_csv(path: Path) -> Embeddings:
    record = read_json_object(_beside(path), what="the record of a table of features", most_bytes=MOST_RECORD)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, strict=True)
        head = next(rows)
        kinds = [name for name in head if name.startswith(LABEL)]
        content = list(rows)
    _check_head(head)
    first = 1 + len(kinds)
    numbers = np.array([row[first:] for row in content], dtype=np.float32).reshape(len(content), len(head) - first)
    texts = {kind: tuple(row[1 + n] for row in content) for n, kind in enumerate(kinds)}
    return _table(tuple(row[0] for row in content), numbers, texts, record)


def _read_parquet(path: Path) -> Embeddings:
    content = _parquet().read_table(path)
    head = list(content.column_names)
    _check_head(head)
    kinds = [name for name in head if name.startswith(LABEL)]
    numbers = np.empty((content.num_rows, len(head) - 1 - len(kinds)), dtype=np.float32)
    for n in range(numbers.shape[1]):
        numbers[:, n] = content.column(f"f{n}").to_numpy()
    text = (content.schema.metadata or {})[RECORD.encode()]
    texts = {kind: tuple(content.column(kind).to_pylist()) for kind in kinds}
    names = tuple(content.column("name").to_pylist())
    return _table(names, numbers, texts, parse_json_object(text, place=str(path)))


def _table(
    names: tuple[str, ...], numbers: NDArray[np.float32], texts: Mapping[str, tuple[str, ...]], record: Mapping
) -> Embeddings:
    labels = {kind.removeprefix(LABEL): classes for kind, classes in texts.items()}
    return Embeddings(names, numbers, labels, record)


def _check_head(head: Sequence[str]) -> None:
    """ValueError unless the columns are name, labels, f0, f1, ..."""
    others = [name for name in head[1:] if not name.startswith(LABEL)]
    if not head or head[0] != "name" or others != [f"f{n}" for n in range(len(others))] or not others:
        raise ValueError(f"columns {', '.join(head[:6])}")


def _write_csv(file: Any, table: Embeddings, columns: Mapping[str, Sequence[str]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", *columns, *(f"f{n}" for n in range(table.features.shape[1]))])
    texts: Iterable[tuple[str, ...]] = zip(table.names, *columns.values(), strict=True)
    for start, row in zip(texts, table.features, strict=True):
        writer.writerow([*start, *(f"{number:.9g}" for number in row.tolist())])
    text.detach()


def _texts(arrow: Any, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {name: arrow.array(list(classes), arrow.string()).dictionary_encode() for name, classes in columns.items()}


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _arrow() -> Any:
    return require("pyarrow", extra="table", distribution="xraykit-dax", what="a .parquet table")


def _parquet() -> Any:
    return require("pyarrow.parquet", extra="table", distribution="xraykit-dax", what="a .parquet table")
