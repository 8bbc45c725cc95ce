"""Options that take a number, or several where they differ: along rows and columns, or from X-ray to X-ray."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from ..errors import InputError

SEVERAL = ("--pixel-spacing", "--sdd")
"""Such options, in any command."""

_LIST = re.compile(r"-\.?\d[^=]*,")


def split_numbers(words: Sequence[str]) -> list[str]:
    """The words of a command line with `--sdd 1000 1100` as `--sdd 1000 --sdd 1100`.

    Files may follow such an option, so that a word after the first belongs to it only if it is a number, and names no
    file.
    """
    found: list[str] = []
    option = None  # whose numbers these are
    for word in words:
        is_first = found[-1:] == [option]
        if option is not None and _is_number(word) and (is_first or not Path(word).exists()):
            found += [word] if is_first else [option, word]
        else:
            found.append(word)
            option = word if word in SEVERAL else None
    return found


def join_lists(words: Sequence[str]) -> list[str]:
    """The words of a command line with `--box -5,1,50,50` as `--box=-5,1,50,50`.

    A word that begins like -5 would be taken for an option, and the user told of one that nobody wrote.
    """
    found: list[str] = []
    option = None  # whose words these are
    for word in words:
        if option is not None and _LIST.match(word):
            found = found[:-1] if found[-1] == option else found
            found.append(f"{option}={word}")
        else:
            found.append(word)
            if word.startswith("--"):
                option = word if len(word) > 2 and "=" not in word else None
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def is_one_or_many(kind: Any) -> bool:
    """Whether a type is a number or a tuple of them."""
    return float in _parts(kind) and any(get_origin(part) is tuple for part in _parts(kind))


def one_or_many(flag: str, kind: Any, values: Sequence[float]) -> float | tuple[float, ...]:
    """One number by itself, more as a tuple.

    Raises:
        InputError: There are more than `kind`, float | tuple[float, float], holds.
    """
    count = len(values)
    if count > 2 and tuple[float, float] in _parts(kind):
        raise InputError(f"{flag} takes one number, or two where they differ along rows and columns, got {count}.")
    return values[0] if count == 1 else tuple(values)


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
