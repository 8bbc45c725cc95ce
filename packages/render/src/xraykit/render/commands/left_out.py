"""Inputs that a long job goes on without, said at its end and by its exit status."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ..errors import BackendUnavailableError, OutputError, XraykitError
from .findings import say_lines

INCOMPLETE = 3
"""Exit status of a command that did its work, but for some of its inputs."""
MOST_NAMED = 40

Item = TypeVar("Item")
Used = TypeVar("Used")


class LeftOut:
    """Collects the inputs of a job that cannot be used, so that the others are done.

    Args:
        none: Leave out nothing: the first error ends the job.

    Attributes:
        found: (name, sentence) of each input that was left out.
    """

    def __init__(self, *, none: bool = False) -> None:
        self.none = none
        self.found: list[tuple[str, str]] = []
        self._first: XraykitError | None = None

    @contextmanager
    def going_on(self, name: str) -> Iterator[None]:
        """Keep what is wrong with one input; results that cannot be written, and missing programs, concern them all."""
        try:
            yield
        except (OutputError, BackendUnavailableError):
            raise
        except XraykitError as error:
            if self.none:
                raise
            self._first = self._first or error
            self.found.append((name, str(error)))

    def kept(
        self, items: Iterable[Item], use: Callable[[Item], Used], *, name: Callable[[Item], str]
    ) -> Iterator[Used]:
        """What `use` gives for each item in turn, without the items that it cannot use."""
        for item in items:
            used: list[Used] = []
            with self.going_on(name(item)):
                used.append(use(item))
            yield from used

    @property
    def once(self) -> tuple[tuple[str, str], ...]:
        """What was found, each thing once."""
        return tuple(dict.fromkeys(self.found))

    def check(self, done: int) -> None:
        """Raise the first error where not one input could be used."""
        if not done and self._first is not None:
            raise self._first


def say_left_out(left_out: Iterable[tuple[str, str]]) -> int:
    """Warn of every input that was left out, each with its reason.

    Args:
        left_out: (what to call it, a sentence that says what is wrong with it).

    Returns:
        The exit status of the command, which is what its function returns: 0 where nothing was left out, else 3.
    """
    lines = [f"{name} was left out: {reason}" for name, reason in dict.fromkeys(left_out)]
    more = len(lines) - MOST_NAMED
    say_lines(warnings=[*lines[:MOST_NAMED], *([f"{more} more were left out."] if more > 0 else [])])
    return INCOMPLETE if lines else 0
