"""Plain nested values as TOML; the standard library reads it and does not write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_text(table: Mapping[str, Any]) -> str:
    """A table of finite numbers, text, booleans, lists and tables as TOML, without what is None."""
    return "\n".join(_lines(without_none(table), ())) + "\n"


def without_none(value: Any) -> Any:
    """The value without the keys of its tables whose value is None, and without the entries of its lists that are."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value if item is not None]
    return value


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Values first, then the tables under their headings."""
    values = [f"{_text(key)} = {_value(item)}" for key, item in table.items() if not isinstance(item, Mapping)]
    heading = [f"[{'.'.join(map(_text, path))}]"] if path else []
    lines = [*heading, *values]
    for key, item in table.items():
        if isinstance(item, Mapping):
            lines += ["", *_lines(item, (*path, key))]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)


def _text(key: str) -> str:
    """A key, bare where TOML lets it."""
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    """A string of JSON is one of TOML but for the control character 127."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
