"""Options that take one number, or two where they differ along rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from ..errors import InputError

PAIRS = ("--pixel-spacing",)
"""Such options."""


def split_pairs(words: Sequence[str]) -> list[str]:
    """The words of a command line with `--pixel-spacing 0.3 0.4` as `--pixel-spacing 0.3 --pixel-spacing 0.4`.

    Such an option takes one number or two, so that a word after the first belongs to it only if it is a number, and
    names no file.
    """
    found: list[str] = []
    for n, word in enumerate(words):
        is_second = n > 1 and words[n - 2] in PAIRS and _is_number(words[n - 1]) and _is_number(word)
        found += [words[n - 2], word] if is_second and not Path(word).exists() else [word]
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def is_one_or_pair(kind: Any) -> bool:
    """Whether a type is a number or two of them."""
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    return float in parts and tuple[float, float] in parts


def one_or_pair(flag: str, value: Any) -> Any:
    """One number by itself, two as a pair.

    Raises:
        InputError: There are more.
    """
    if not isinstance(value, tuple | list):
        return value
    if len(value) > 2:
        raise InputError(f"{flag} takes one number, or two where they differ along rows and columns, got {len(value)}.")
    return value[0] if len(value) == 1 else tuple(value)
