"""JSON from a stranger, one object of limited size, every other thing refused with a sentence; and values for it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError
from .decoded_text import text_of

MOST_DIGITS, MOST_WHOLE = 20, 1 << 64


def whole_number(digits: str) -> int:
    """A whole number of at most 64 bits.

    Raises:
        ValueError: It is longer: no size, count or seed is, and floating-point numbers end sooner than whole ones.
    """
    number = int(digits) if len(digits) <= MOST_DIGITS else MOST_WHOLE
    if abs(number) >= MOST_WHOLE:
        raise ValueError("a whole number beyond 64 bits")
    return number


def read_json_object(
    path: str | Path,
    *,
    what: str = "a JSON file",
    most_bytes: int = 1 << 20,
    parse_int: Callable[[str], Any] = int,
) -> dict[str, Any]:
    """The object in a JSON file.

    Args:
        path: The file.
        what: What the file is, for messages: "a pose.json".
        most_bytes: Its largest size [bytes].
        parse_int: Makes a number of one without point and exponent.

    Raises:
        FileError: It is missing, too large, no well-formed JSON, no object, or gives a key twice.
    """
    path = Path(path)
    try:
        if path.stat().st_size > most_bytes:
            size = path.stat().st_size
            raise FileError(f"{path} must be {what} of at most {most_bytes} bytes, got {size}; is it another file?")
        text = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with NUL or half a character
        if isinstance(error, FileError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{what} was expected at {path}, got {reason}; check the path.") from error
    return parse_json_object(text, place=str(path), parse_int=parse_int)


def parse_json_object(text: bytes | str, *, place: str, parse_int: Callable[[str], Any] = int) -> dict[str, Any]:
    """The object in a JSON text.

    Args:
        text: Bytes are UTF-8, or UTF-16 with its mark, see `text_of`.
        place: Where the text comes from, for messages.
        parse_int: Makes a number of one without point and exponent.

    Raises:
        FileError: It is not well-formed, no object, or gives a key twice.
    """
    content = parse_json(text, place=place, parse_int=parse_int)
    if not isinstance(content, dict):
        raise FileError(f"{place} must hold one JSON object, got {type(content).__name__}.")
    return content


def parse_json(text: bytes | str, *, place: str, parse_int: Callable[[str], Any] = int) -> Any:
    """Whatever a JSON text holds.

    Raises:
        FileError: It is not well-formed, or gives a key twice.
    """
    try:
        decoded = text if isinstance(text, str) else text_of(text)
        return json.loads(decoded, parse_int=parse_int, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{place} must be JSON text, got something else ({str(error)[:200]}).") from error


def finite_or_none(value: Any) -> Any:
    """The value for JSON: numbers that are not finite become None, in lists and tables too; names become text."""
    if isinstance(value, Mapping):
        return {str(key): finite_or_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} is given twice")
    return table
