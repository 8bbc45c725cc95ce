"""Tables of a scene file that make objects: every key and value is checked, errors name place and nearest key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, overload

from ..errors import FileError, InputError
from ..storage.brief import brief
from ..storage.named_place import from_home, kind_at
from ..storage.settings_file import read_table
from ..storage.typed_values import is_finite_number, shown


class Table:
    """One mapping of the file, of which `keys` are all the keys it may have.

    Args:
        content: What the file holds there; None is an empty mapping.
        where: The place, for messages: "beam", "tools[2]"; "" is the whole file.
        file: The file.
        keys: The legal keys.
        what: What to call the whole file in messages.

    Raises:
        FileError: No mapping, or a key that is not legal.
    """

    def __init__(self, content: Any, where: str, *, file: Path, keys: Sequence[str], what: str = "the scene") -> None:
        self.file, self.where, self.what = file, where, what
        if content is not None and not isinstance(content, dict):
            raise self.error(f"must be a table of {', '.join(keys)}, got {shown(content)}")
        self.content: dict[str, Any] = {} if content is None else content
        for key in self.content:
            if key not in keys:
                near = get_close_matches(str(key), keys, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"it may hold {', '.join(keys)}."
                raise FileError(f"{file}: {where or what} has no key {key!r}; {hint}")

    def __contains__(self, key: str) -> bool:
        return self.content.get(key) is not None

    def error(self, problem: str, key: str = "") -> FileError:
        """The error "FILE: where.key problem"."""
        place = ".".join(part for part in (self.where, key) if part) or self.what
        return FileError(f"{self.file}: {place} {problem}{'' if problem.endswith('?') else '.'}")

    @contextmanager
    def naming(self, key: str = "") -> Iterator[None]:
        """Let errors that values cause name the file and the place."""
        try:
            yield
        except FileError:
            raise
        except InputError as error:
            place = ".".join(part for part in (self.where, key) if part) or self.what
            raise FileError(f"{self.file}: {place}: {error}") from error

    @overload
    def number(self, key: str, default: float) -> float: ...

    @overload
    def number(self, key: str, default: None = None) -> float | None: ...

    def number(self, key: str, default: float | None = None) -> float | None:
        """A finite number, or the default where the key is absent or null."""
        if key not in self:
            return default
        value = self.content[key]
        if not is_finite_number(value):
            raise self.error(f"must be a finite number, got {shown(value)}", key)
        return float(value)

    @overload
    def positive(self, key: str, default: float) -> float: ...

    @overload
    def positive(self, key: str, default: None = None) -> float | None: ...

    def positive(self, key: str, default: float | None = None) -> float | None:
        """A number above 0."""
        value = default if key not in self else self.number(key)
        if value is not None and value <= 0:
            raise self.error(f"must be above 0, got {value:g}", key)
        return value

    def whole(self, key: str, default: int) -> int:
        """A whole number from 0 up."""
        value = self.number(key, float(default))
        if value != int(value) or not 0 <= value < 2**63:
            raise self.error(f"must be a whole number from 0 up, got {shown(self.content[key])}", key)
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.content[key] if key in self else default
        if not isinstance(value, bool):
            raise self.error(f"must be true or false, got {shown(value)}", key)
        return value

    def text(self, key: str, default: str | None = None, *, among: Sequence[str] = ()) -> str | None:
        """A text, one of `among` if given."""
        value = self.content[key] if key in self else default
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise self.error(f"must be text, got {shown(value)}", key)
        if among and value not in among:
            near = get_close_matches(value, among, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(among)}"
            raise self.error(f"knows no {value!r}; {hint}", key)
        return value

    def numbers(self, key: str, count: int, default: Sequence[float] | None = None) -> list[float] | None:
        """A list of `count` finite numbers."""
        if key not in self:
            return None if default is None else list(default)
        value = self.content[key]
        if not isinstance(value, list) or len(value) != count or not all(is_finite_number(entry) for entry in value):
            raise self.error(f"must be a list of {count} finite numbers, got {shown(value)}", key)
        return [float(entry) for entry in value]

    def rows(self, key: str, count: int | None, length: int) -> list[list[float]]:
        """`count` (None: any number of) lists of `length` finite numbers."""
        value = self.content[key]
        fits = isinstance(value, list) and count in (None, len(value))
        if not fits or not all(
            isinstance(row, list) and len(row) == length and all(is_finite_number(entry) for entry in row)
            for row in value
        ):
            many = "" if count is None else f"{count} "
            raise self.error(f"must be {many}lists of {length} finite numbers, got {shown(value)}", key)
        return [[float(entry) for entry in row] for row in value]

    def table(self, key: str, keys: Sequence[str]) -> Table:
        """The mapping under a key, empty where it is absent."""
        return Table(self.content.get(key), self._place(key), file=self.file, keys=keys)

    def tables(self, key: str, keys: Sequence[str]) -> list[Table]:
        """The mappings in the list under a key."""
        value = self.content.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(f"must be a list, each entry with a dash, got {shown(value)}", key)
        return [Table(entry, f"{self._place(key)}[{n}]", file=self.file, keys=keys) for n, entry in enumerate(value)]

    def scalars(self, key: str) -> dict[str, float]:
        """A mapping of names to finite numbers."""
        value = self.content.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(
            isinstance(name, str) and is_finite_number(entry) for name, entry in value.items()
        ):
            raise self.error(f"must be a table of names and finite numbers, got {shown(value)}", key)
        return {name: float(entry) for name, entry in value.items()}

    def path(self, key: str) -> Path | None:
        """A file or folder that exists, relative to the YAML file."""
        name = self.text(key)
        if name is None:
            return None
        path = self.file.parent / from_home(Path(name))
        if kind_at(path) is None:
            raise self.error(
                f"must name an existing file, got {shown(name)}, which {brief(path, limit=200)} is not", key
            )
        return path.resolve()

    def _place(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key


def read_checked_table(path: str | Path, keys: Sequence[str], *, what: str = "the scene") -> Table:
    """The mapping in a YAML file; messages call the whole file `what`.

    Raises:
        FileError: `read_table` refuses the file, or a key is not legal.
    """
    return Table(read_table(path), "", file=Path(path), keys=keys, what=what)
