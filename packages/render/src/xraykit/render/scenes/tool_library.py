"""A folder of meshes with a text file that says what they are."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError
from ..files.meshes import read_mesh
from ..meshes.mesh import Mesh
from ..storage.brief import brief
from ..storage.confined_path import confined_path
from ..storage.decoded_text import text_of
from ..storage.named_place import kind_at

_LISTS = ("tools.yaml", "tools.yml", "tools.csv")
_KEYS = ("file", "name", "material", "description", "scale")
_LIMIT = 16 << 20
_KEPT = 32


@dataclass(frozen=True)
class ToolEntry:
    """One line of the list: where the mesh is and what it is.

    Args:
        file: The mesh file, inside the folder.
        name: What to call it; unique in the library.
        material: Name of the material.
        description: A sentence for text prompts.
        scale: One unit of the file in mm; None is what `read_mesh` takes.
    """

    file: Path
    name: str
    material: str = "titanium"
    description: str = ""
    scale: float | None = None


class ToolLibrary(Mapping[str, Mesh]):
    """Meshes by name, each read when first asked for; the 32 used last are kept in memory."""

    def __init__(self, entries: Mapping[str, ToolEntry], source: Path) -> None:
        self.entries = dict(entries)
        self._source = source
        self._read = lru_cache(maxsize=_KEPT)(self._load)

    def __getitem__(self, name: str) -> Mesh:
        """The mesh of this name.

        Raises:
            InputError: The library has no such tool.
            FileError: Its file is missing, damaged or no closed mesh; the message names the entry.
        """
        if name not in self.entries:
            raise InputError(
                f"{self._source} lists {len(self.entries)} tools, none is called {name!r}; "
                f"the first are {', '.join(list(self.entries)[:5])}."
            )
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __reduce__(self) -> tuple[type[ToolLibrary], tuple[dict[str, ToolEntry], Path]]:
        """What it lists travels, the meshes in memory do not."""
        return ToolLibrary, (self.entries, self._source)

    def _load(self, name: str) -> Mesh:
        entry = self.entries[name]
        try:
            return read_mesh(
                entry.file, scale=entry.scale, name=name, material=entry.material, description=entry.description
            )
        except FileError as error:
            raise FileError(f"{self._source}, tool {name!r}: {error}") from error


def read_tool_library(folder: str | Path) -> ToolLibrary:
    """The tools listed in a folder's tools.yaml (a list of tables) or tools.csv (with a header line).

    Columns: file (inside the folder), name (default: the file's stem), material, description, scale (mm per unit of
    the file). Meshes are read later, one by one; that every file exists is checked now.

    Raises:
        FileError: No list, not readable, unknown or missing columns, a name twice, a scale that is not positive, or a
            file that is missing or outside the folder. The message names the entry.
    """
    folder = Path(folder)
    source = next((folder / name for name in _LISTS if kind_at(folder / name) == "file"), None)
    if source is None:
        raise FileError(f"a tool library must be a folder with one of {', '.join(_LISTS)}, got {folder}.")
    entries: dict[str, ToolEntry] = {}
    for number, row in enumerate(_rows(source), start=1):
        entry = _entry(source, number, row)
        if entry.name in entries:
            raise FileError(f"{source}, entry {number}: names must be unique, got {entry.name!r} twice.")
        entries[entry.name] = entry
    if not entries:
        raise FileError(f"{source} must list at least one tool, got none.")
    return ToolLibrary(entries, source)


def _rows(source: Path) -> list[Any]:
    from ..storage.strict_yaml import load_yaml

    try:
        if source.stat().st_size > _LIMIT:
            raise FileError(f"{source} must be under {_LIMIT >> 20} MiB, got {source.stat().st_size} bytes.")
        text = text_of(source.read_bytes())
        if source.suffix == ".csv":
            return list(csv.DictReader(text.splitlines(), strict=True))
        rows = load_yaml(text, most_entries=_LIMIT)
    except OSError as error:
        raise FileError(f"{source} must be a readable list of tools, got {error.strerror}.") from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise FileError(f"{source} must be a readable list of tools, got: {brief(error)}.") from error
    if not isinstance(rows, list):
        raise FileError(f"{source} must hold a list of tools (lines that begin with '- file: ...'), got {rows!r:.80}.")
    return rows


def _entry(source: Path, number: int, row: Any) -> ToolEntry:
    where = f"{source}, entry {number}"
    if not isinstance(row, dict) or any(key not in _KEYS for key in row) or not row.get("file"):
        got = ", ".join(map(str, row)) if isinstance(row, dict) else repr(row)
        raise FileError(f"{where}: expected file and any of {', '.join(_KEYS[1:])}, got {got:.200}.")
    given = {key: value for key, value in row.items() if value not in (None, "")}
    words = {key: given[key] for key in ("file", "name", "material", "description") if key in given}
    wrong = next((key for key, value in words.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise FileError(f"{where}: {wrong} must be text, got {brief(words[wrong])}; put it in quotes.")
    try:
        scale = float(given["scale"]) if "scale" in given else None
    except (TypeError, ValueError, OverflowError) as error:
        raise FileError(f"{where}: scale must be a number of mm per unit, got {brief(given['scale'])!r}.") from error
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise FileError(f"{where}: scale must be a positive number of mm per unit, got {scale}.")
    try:
        file = confined_path(source, words.pop("file"))
    except FileError as error:
        raise FileError(f"{where}: {error}") from error
    return ToolEntry(file, words.pop("name", file.stem), scale=scale, **words)
