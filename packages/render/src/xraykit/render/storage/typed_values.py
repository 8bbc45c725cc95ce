"""One plain value as the type of its field asks for it, refused with a sentence that names the place."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

from ..errors import InputError
from .brief import brief
from .named_place import from_home, kind_at

_MANY = {bool: "true and false", int: "whole numbers", float: "finite numbers", str: "texts", Path: "paths"}
_WORDS = {bool: "true or false", int: "a whole number", float: "a finite number", str: "text", Path: "a path"}


def typed_value(hint: Any, value: Any, *, place: str, folder: Path | None = None) -> Any:
    """The value as the type asks for it: lists become tuples, text paths, whole numbers floats.

    Args:
        hint: bool, int, float, str, Path, Literal, a dataclass; tuples, mappings and unions of these. Of several
            dataclasses the value's key `kind` chooses the one whose field `kind` is that literal.
        value: A plain value.
        place: Where it lies, for messages.
        folder: Where relative paths begin, which then must exist; None leaves paths as they are.

    Raises:
        InputError: It is of another type.
        TypeError: The type is none of these.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return typed_value(parts[0], value, place=place, folder=folder)
    if origin in (Union, UnionType):
        return _of_union(hint, value, place, folder)
    if isinstance(hint, type) and is_dataclass(hint):
        from .typed_settings import from_plain

        return value if isinstance(value, hint) else from_plain(hint, value, place=place, folder=folder)
    if origin is Literal:
        return _choice(parts, value, place)
    if origin in (tuple, list, Sequence):
        return _row(hint, value, place, folder)
    if origin in (dict, Mapping):
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise _refusal(hint, value, place)
        return {key: typed_value(parts[1], v, place=f"{place}.{key}", folder=folder) for key, v in value.items()}
    if hint is Any:
        return value
    if hint not in _WORDS:
        raise TypeError(f"{place}: settings cannot hold {hint!r}.")
    return _scalar(hint, value, place, folder)


def accepts_none(hint: Any) -> bool:
    """Whether null is a value of the type."""
    return hint in (Any, None, NoneType) or (
        get_origin(hint) in (Union, UnionType, Annotated) and any(accepts_none(part) for part in get_args(hint))
    )


def shown(value: Any) -> str:
    """A value for a message, cut if long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def is_finite_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number that a double holds, and no bool; math.isfinite fails on longer whole numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _scalar(hint: type, value: Any, place: str, folder: Path | None) -> Any:
    is_number = is_finite_number(value)
    if hint is bool and isinstance(value, bool):
        return value
    if hint is int and is_number and value == int(value):
        return int(value)
    if hint is float and is_number:
        return float(value)
    if hint is str and isinstance(value, str):
        return value
    if hint is Path and isinstance(value, str | Path) and str(value):
        return Path(value) if folder is None else _existing(Path(value), place, folder)
    raise _refusal(hint, value, place)


def _existing(path: Path, place: str, folder: Path) -> Path:
    found = folder / from_home(path)
    if kind_at(found) is None:
        raise InputError(
            f"{place} must name an existing file, got {shown(str(path))}, which {brief(found, limit=200)} is not."
        )
    return found.resolve()


def _choice(choices: tuple[Any, ...], value: Any, place: str) -> Any:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return value
    if isinstance(value, str):
        among = [str(choice) for choice in choices]
        near = get_close_matches(value, among, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(among)}."
        raise InputError(f"{place} knows no {value!r}; {hint}")
    raise _refusal(Literal[choices], value, place)


def _row(hint: Any, value: Any, place: str, folder: Path | None) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if not isinstance(value, list | tuple):
        raise _refusal(hint, value, place)
    is_long = origin is not tuple or (len(parts) == 2 and parts[1] is Ellipsis)
    if not is_long and len(value) != len(parts):
        raise _refusal(hint, value, place)
    types = [parts[0]] * len(value) if is_long else parts
    pairs = enumerate(zip(types, value, strict=True))
    row = [typed_value(entry, v, place=f"{place}[{n}]", folder=folder) for n, (entry, v) in pairs]
    return row if origin is list else tuple(row)


def _of_union(hint: Any, value: Any, place: str, folder: Path | None) -> Any:
    members = [part for part in get_args(hint) if part is not NoneType]
    if value is None and len(members) < len(get_args(hint)):
        return None
    if len(members) == 1:
        return typed_value(members[0], value, place=place, folder=folder)
    if all(isinstance(part, type) and is_dataclass(part) for part in members):
        return _of_kind(members, value, place, folder)
    for part in sorted(members, key=lambda part: part is not type(value)):
        try:
            return typed_value(part, value, place=place, folder=folder)
        except InputError:
            continue
    raise _refusal(hint, value, place)


def _of_kind(members: list[Any], value: Any, place: str, folder: Path | None) -> Any:
    if isinstance(value, tuple(members)):
        return value
    kinds = {kind: part for part in members for kind in get_args(get_type_hints(part).get("kind"))}
    if not isinstance(value, Mapping) or value.get("kind") not in kinds:
        raise InputError(f"{place} must be a table with a kind, one of {', '.join(kinds)}, got {shown(value)}.")
    return typed_value(kinds[value["kind"]], value, place=place, folder=folder)


def _refusal(hint: Any, value: Any, place: str) -> InputError:
    return InputError(f"{place} must be {_expected(hint)}, got {shown(value)}.")


def _expected(hint: Any) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return f'"{parts[0]}"' if len(parts) == 1 else "one of " + ", ".join(map(str, parts))
    if origin in (Union, UnionType):
        return " or ".join(_expected(part) for part in parts if part is not NoneType)
    if origin in (dict, Mapping):
        return f"a table of names and {_several(parts[1])}"
    if origin is tuple and Ellipsis not in parts:
        return f"a list of {len(parts)} {_several(parts[0]) if len(set(parts)) == 1 else 'values'}"
    if origin in (tuple, list, Sequence):
        return f"a list of {_several(parts[0])}"
    return _WORDS.get(hint, "a table")


def _several(hint: Any) -> str:
    is_list = get_origin(hint) in (tuple, list, Sequence)
    return _MANY.get(hint) or (_expected(hint).replace("a list", "lists", 1) if is_list else "tables")
