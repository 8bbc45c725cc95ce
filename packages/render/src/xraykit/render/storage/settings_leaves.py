"""The tree of a settings class: its fields with their types, and its leaves by their flat names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, get_type_hints

from .field_help import field_help, first_line

MOST_FIELDS = 12


@dataclass(frozen=True)
class Leaf:
    """One setting that is no table of others.

    Args:
        name: Its flat name, of which the tree has one.
        path: Field names from the root to it.
        type: Its type.
        default: Its default; `dataclasses.MISSING` if it must be given.
        help: What it is for.
        metadata: Hints of its field for a command line: short, positional, negative, hidden.
        group: Heading of the table that it lies in; "" at the root.
    """

    name: str
    path: tuple[str, ...]
    type: Any
    default: Any
    help: str
    metadata: Mapping[str, Any]
    group: str

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING


def leaves(cls: type) -> dict[str, Leaf]:
    """The leaves of a settings class by their flat names, in the order of the fields.

    A leaf is called as its field is, or as `metadata={"flag": "network_sdd"}` says; `metadata={"prefix": "search"}` at
    a table puts "search_" before the names of all its leaves.

    Args:
        cls: A dataclass whose fields may be dataclasses in turn.

    Returns:
        {flat name: leaf}.

    Raises:
        TypeError: Two leaves share a name, a class has more than 12 fields, or `cls` is no dataclass.
    """
    found: dict[str, Leaf] = {}
    for leaf in every_leaf(cls):
        if leaf.name in found:
            one, other = ".".join(found[leaf.name].path), ".".join(leaf.path)
            raise TypeError(f"{cls.__name__}: {one} and {other} are both called {leaf.name!r}; give one a flag.")
        found[leaf.name] = leaf
    return found


def every_leaf(cls: type) -> list[Leaf]:
    """All leaves of a settings class; names may repeat."""
    return list(_walk(cls, (), "", "", MISSING))


@cache
def typed_fields(cls: type) -> dict[str, tuple[Field[Any], Any]]:
    """{name: (field, its type)} of what the constructor of a dataclass takes.

    Raises:
        TypeError: No dataclass, or more than 12 fields.
    """
    if not is_dataclass(cls):
        raise TypeError(f"settings are dataclasses, got {cls!r}.")
    hints = get_type_hints(cls, include_extras=True)
    found = {part.name: (part, hints[part.name]) for part in fields(cls) if part.init}
    if len(found) > MOST_FIELDS:
        raise TypeError(f"{cls.__name__} has {len(found)} fields, at most {MOST_FIELDS}; nest some of them.")
    return found


def default_of(part: Field[Any]) -> Any:
    """The default of a field; `dataclasses.MISSING` if it has none."""
    return part.default_factory() if part.default_factory is not MISSING else part.default


def is_table(hint: Any) -> bool:
    """Whether a type is a settings class."""
    return isinstance(hint, type) and is_dataclass(hint)


def _walk(cls: type, path: tuple[str, ...], prefix: str, group: str, holder: Any) -> Iterator[Leaf]:
    """Leaves of `cls` at `path`; `holder` is the instance that a table above has as its default."""
    help_texts = field_help(cls)
    for name, (part, hint) in typed_fields(cls).items():
        value = default_of(part) if holder is MISSING else getattr(holder, name)
        if is_table(hint):
            within = f"{prefix}{part.metadata['prefix']}_" if "prefix" in part.metadata else prefix
            yield from _walk(hint, (*path, name), within, first_line(hint), value)
        else:
            flat = prefix + part.metadata.get("flag", name).lstrip("-").replace("-", "_")
            yield Leaf(flat, (*path, name), hint, value, help_texts.get(name, ""), part.metadata, group)
