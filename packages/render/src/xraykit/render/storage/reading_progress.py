"""How far the reading of many files or frames is, told to whoever listens; nobody does unless a command asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Told = Callable[[str, int, int], None]
"""Gets what is read, in the plural, which one is at hand, from 1 on, and how many there are."""
_LISTENER: ContextVar[Told | None] = ContextVar("listener", default=None)
Read = TypeVar("Read")


@contextmanager
def listening(listener: Told | None) -> Iterator[None]:
    """Within it, `listener` is told how far reading is; threads that start within it are not followed."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def told(items: Sequence[Read], what: str) -> Iterator[Read]:
    """The items in turn, each told as it is given."""
    for done, item in enumerate(items, start=1):
        listener = _LISTENER.get()
        if listener is not None:
            listener(what, done, len(items))
        yield item
