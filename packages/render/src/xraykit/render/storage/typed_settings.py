"""Settings classes from plain values and back: nested frozen dataclasses, every key and value checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from ..errors import InputError
from .settings_leaves import default_of, every_leaf, is_table, typed_fields
from .typed_values import accepts_none, shown, typed_value

T = TypeVar("T")
Range = tuple[float, float]
"""Least and greatest value of what is drawn or searched between the two."""


def from_plain(
    cls: type[T], values: Any, *, place: str = "", what: str = "the table of settings", folder: Path | None = None
) -> T:
    """The settings that plain values describe; what they leave out has its default.

    Keys are the names of fields, with - or _ between words; at the top a leaf's flat name is a key as well. Null is
    nothing said where the type knows no null.

    Args:
        cls: A dataclass whose fields may be dataclasses in turn.
        values: A mapping, as JSON, YAML or TOML give it.
        place: Where the values lie, for messages: "physics".
        what: What to call the whole in messages.
        folder: Where relative paths begin, which then must exist; None leaves paths as they are.

    Raises:
        InputError: An unknown key, a value of the wrong type, a missing one, or one that the class refuses; the message
            names the place, such as `physics.kvp[1]`.
    """
    typed = typed_table(cls, values, place=place, what=what, folder=folder)
    return build(cls, typed, place=place, what=what, naming=True)


def typed_table(
    cls: type, values: Any, *, place: str = "", what: str = "the table of settings", folder: Path | None = None
) -> dict[str, Any]:
    """Plain values as {field: typed value or, for a table, another such mapping}; nothing is filled in.

    Raises:
        InputError: An unknown key or a value of the wrong type.
    """
    known = typed_fields(cls)
    if not isinstance(values, Mapping):
        raise InputError(f"{place or what} must be a table of {', '.join(known)}, got {shown(values)}.")
    typed: dict[str, Any] = {}
    for key, value in (values if place else _nested(cls, values, what)).items():
        name = str(key).replace("-", "_")
        here = f"{place}.{name}" if place else name
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"it may hold {', '.join(known)}."
            raise InputError(f"{place or what} has no key {key!r}; {hint}")
        if name in typed:
            raise InputError(f"{here} is given twice; leave one out.")
        hint = known[name][1]
        if is_table(hint):
            typed[name] = typed_table(hint, {} if value is None else value, place=here, folder=folder)
        elif value is not None or accepts_none(hint):
            typed[name] = typed_value(hint, value, place=here, folder=folder)
    return typed


def build(
    cls: type[T],
    typed: Mapping[str, Any],
    *,
    place: str = "",
    what: str = "the table of settings",
    naming: bool = False,
    holder: Any = MISSING,
) -> T:
    """The settings of a typed table; `naming` lets what the class itself refuses name the place.

    Raises:
        InputError: A value is missing, or the class refuses one.
    """
    given: dict[str, Any] = {}
    for name, (part, hint) in typed_fields(cls).items():
        here = f"{place}.{name}" if place else name
        default = default_of(part) if holder is MISSING else getattr(holder, name)
        if is_table(hint):
            given[name] = build(hint, typed.get(name, {}), place=here, naming=naming, holder=default)
        elif name in typed or default is not MISSING:
            given[name] = typed.get(name, default)
        else:
            raise InputError(f"{place or what} must have the key {name!r}, got none.")
    try:
        return cls(**given)
    except InputError as error:
        if naming and place:
            raise type(error)(f"{place}: {error}") from error
        raise


def to_plain(settings: object) -> Any:
    """Settings as nested values that JSON holds and `from_plain` reads again.

    Paths become text, tuples lists.

    Raises:
        InputError: Something that is no setting, such as a tensor, or a number that is not finite.
    """
    if is_dataclass(settings) and not isinstance(settings, type):
        return {part.name: to_plain(getattr(settings, part.name)) for part in fields(settings) if part.init}
    if isinstance(settings, Mapping):
        return {str(key): to_plain(value) for key, value in settings.items()}
    if isinstance(settings, tuple | list):
        return [to_plain(value) for value in settings]
    if isinstance(settings, Path):
        return str(settings)
    is_plain = settings is None or type(settings) in (bool, int, str)
    if is_plain or (isinstance(settings, float) and math.isfinite(settings)):
        return settings
    raise InputError(f"settings hold finite numbers, text, paths, lists and tables, got {shown(settings)}.")


def _nested(cls: type, values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The values with those that are called by their flat names in the tables where they belong."""
    known = typed_fields(cls)
    names: dict[str, list[tuple[str, ...]]] = {}
    for leaf in every_leaf(cls):
        names.setdefault(leaf.name, []).append(leaf.path)
    moved: dict[str, Any] = {}
    flat: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = str(key).replace("-", "_")
        is_leaf_name = len(names.get(name, ())) == 1
        belongs = name in known and (not is_table(known[name][1]) or value is None or isinstance(value, Mapping))
        if is_leaf_name and not belongs:
            flat.append((name, value))
        elif name in moved:
            raise InputError(f"{what} gives {name} twice; leave one out.")
        else:
            moved[name if name in known else key] = dict(value) if isinstance(value, Mapping) else value
    for name, value in flat:
        *tables, last = names[name][0]
        table = moved
        for part in tables:
            inner = table.get(part)
            table[part] = dict(inner) if isinstance(inner, Mapping) else {}
            table = table[part]
        if last in table:
            raise InputError(f"{what} gives {'.'.join((*tables, last))} twice; leave one out.")
        table[last] = value
    return moved
