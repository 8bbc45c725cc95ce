"""Values of a stranger's table, strictly: text, numbers and lists, or a ValueError that says what was expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MOST_LETTERS = 1000  # of a file's name
MOST_WHOLE = 1_000_000
MOST_SHOWN = 60  # letters of a value in a sentence


def shown(value: object) -> str:
    """A value for a sentence: short, and without letters that cannot be printed."""
    if isinstance(value, str):
        return repr(value) if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]!r}..."
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def needed(entry: Any, key: str, place: str) -> Any:
    """The value of a key of an object."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{place} must be an object, got {shown(entry)}")
    if key not in entry:
        raise ValueError(f"{place} must have {key!r}; see the annotation format")
    return entry[key]


def listed_values(value: Any, place: str, *, count: int | None = None) -> list[Any]:
    """A list, of `count` values where that is said."""
    if not isinstance(value, list) or (count is not None and len(value) != count):
        raise ValueError(f"{place} must be a list{'' if count is None else f' of {count} values'}, got {shown(value)}")
    return value


def whole(value: Any, place: str, *, least: int = 0) -> int:
    """A whole number from `least` to `MOST_WHOLE`; 3.0 is one, true and "3" are none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= value <= MOST_WHOLE or value != int(value):
        raise ValueError(f"{place} must be a whole number from {least} to {MOST_WHOLE}, got {shown(value)}")
    return int(value)


def finite(value: Any, place: str) -> float:
    """A number; true and "3" are none."""
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{place} must be a finite number, got {shown(value)}")
    return number


def xy(value: Any, place: str) -> tuple[float, float]:
    """Two numbers."""
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"{place} must be [x, y], got {shown(value)}")
    return finite(value[0], f"x of {place}"), finite(value[1], f"y of {place}")


def zero_or_one(value: Any, place: str) -> bool:
    """1 or 0 as true or false; true itself is none of them."""
    if isinstance(value, bool) or value not in (0, 1):
        raise ValueError(f"{place} must be 1 for a match and 0 for none, got {shown(value)}")
    return value == 1


def text(value: Any, place: str, *, may_lack: bool = False) -> str:
    """Text that can be written again; where it may lack, null is empty."""
    if may_lack and value in (None, ""):
        return ""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{place} must be a text, got {shown(value)}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{place} must be text of whole letters, got half of one in {shown(value)}")
    return value


def file_name(value: Any, place: str) -> str:
    """The name of a file."""
    name = text(value, place)
    if "\0" in name or len(name) > MOST_LETTERS:
        raise ValueError(
            f"{place} must be a file's name of at most {MOST_LETTERS} letters without a zero byte, got {shown(name)} "
            f"of {len(name)} letters"
        )
    return name
