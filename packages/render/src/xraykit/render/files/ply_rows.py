"""Rows of a PLY file behind its header, in text and in binary, never more than there are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.brief import brief
from .parsed_mesh import MAX_LINE, coordinates

_LARGEST = 1 << 40  # no mesh has a vertex of this number


class Property(NamedTuple):
    """A property of an element; numpy names of its types."""

    name: str
    type: str
    counted: str | None  # the type of the length that stands before a list


@dataclass
class Element:
    """An element of the header: how many rows of which properties."""

    name: str
    count: int
    properties: list[Property] = field(default_factory=list)

    @property
    def least(self) -> int:
        """Bytes that a row takes at least, in binary."""
        return sum(np.dtype(p.counted or p.type).itemsize for p in self.properties)


def _groups(path: Path, lists: list[list[int]]) -> list[NDArray[np.int64]]:
    by_length: dict[int, list[list[int]]] = {}
    for row in lists:
        if len(row) < 3:
            raise FileError(f"{path} must have faces of three corners or more, got one of {len(row)}.")
        by_length.setdefault(len(row), []).append(row)
    return [np.array(rows, dtype=np.int64) for rows in by_length.values()]


class BinaryRows:
    """The rows of a binary body, one element after the other."""

    def __init__(self, path: Path, body: bytes, order: str) -> None:
        self.path, self.body, self.order, self.at = path, body, order, 0

    def numbers(self, element: Element) -> NDArray[np.float64]:
        """The numbers of an element without lists, (count, properties) float64."""
        kind = np.dtype([(str(n), self.order + p.type) for n, p in enumerate(element.properties)])
        rows = np.frombuffer(self._take(element.count * kind.itemsize), dtype=kind)
        return np.stack([rows[name].astype(np.float64) for name in kind.names or ()], axis=1)

    def lists(self, element: Element, wanted: int) -> list[NDArray[np.int64]]:
        """The lists of property `wanted`, in groups (N, n) of equal length."""
        listed = [p for p in element.properties if p.counted]
        if len(listed) == 1:
            fields = [
                [(f"n{n}", self.order + p.counted), (f"v{n}", self.order + p.type, (3,))] if p.counted
                else [(f"v{n}", self.order + p.type)] for n, p in enumerate(element.properties)
            ]  # fmt: skip
            kind = np.dtype([entry for group in fields for entry in group])
            rest = len(self.body) - self.at
            if element.count * kind.itemsize <= rest:
                rows = np.frombuffer(self.body, kind, element.count, self.at)
                if (rows[f"n{wanted}"] == 3).all():
                    self.at += element.count * kind.itemsize
                    return [rows[f"v{wanted}"].astype(np.int64)]
        return _groups(self.path, [row[wanted] for row in self._slowly(element)])

    def skip(self, element: Element) -> None:
        """Pass the rows of an element."""
        for _ in self._slowly(element):
            pass

    def _slowly(self, element: Element) -> Iterator[list[list[int]]]:
        for _ in range(element.count if element.properties else 0):
            row = []
            for p in element.properties:
                kind, count = np.dtype(self.order + p.type), 1
                if p.counted:
                    width = np.dtype(p.counted).itemsize
                    big = self.order == ">"
                    count = int.from_bytes(self._take(width), "big" if big else "little", signed=p.counted[0] == "i")
                row.append(np.frombuffer(self._take(count * kind.itemsize), kind).tolist())
            yield row

    def finish(self) -> tuple[str, ...]:
        """What came after the last element, in words; FileError where that may be data."""
        spare = len(self.body) - self.at
        if spare >= 50 and self.body[self.at :].strip(b"\0 \t\r\n"):
            raise FileError(f"{self.path} must end with its last element, got {spare} bytes more; export it again.")
        return (f"skipped {spare} spare byte{'s' if spare > 1 else ''} at the end",) if spare else ()

    def _take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.body):
            raise FileError(f"{self.path} must hold what its header promises, it ends early; it is damaged or cut off.")
        self.at += count
        return self.body[self.at - count : self.at]


class TextRows:
    """The rows of a text body, a line each."""

    def __init__(self, path: Path, body: bytes) -> None:
        self.path = path
        text = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", errors="replace")
        self.lines = iter(lambda: text.readline(MAX_LINE), "")

    def numbers(self, element: Element) -> NDArray[np.float64]:
        """The numbers of an element without lists, (count, properties) float64."""
        width = len(element.properties)
        rows = [self._words() for _ in range(element.count)]
        wrong = next((row for row in rows if len(row) != width), None)
        if wrong is not None:
            raise FileError(f"{self.path} must give {width} numbers for each vertex, got {brief(' '.join(wrong))!r}.")
        return np.array([coordinates(self.path, row) for row in rows]).reshape(-1, width)

    def lists(self, element: Element, wanted: int) -> list[NDArray[np.int64]]:
        """The lists of property `wanted`, in groups (N, n) of equal length."""
        return _groups(self.path, [self._row(element)[wanted] for _ in range(element.count)])

    def _row(self, element: Element) -> list[list[int]]:
        words, at, row = self._words(), 0, []
        try:
            for p in element.properties:
                count = int(words[at]) if p.counted else 1
                at += 1 if p.counted else 0
                row.append([int(word) if p.counted and p.type[0] != "f" else 0 for word in words[at : at + count]])
                at += max(count, 0)
        except (ValueError, IndexError):
            at = -1
        if at != len(words) or any(abs(number) > _LARGEST for numbers in row for number in numbers):
            raise FileError(
                f"{self.path} must list the corners of each face, got {brief(' '.join(words), limit=60)!r}."
            )
        return row

    def skip(self, element: Element) -> None:
        """Pass the rows of an element."""
        for _ in range(element.count):
            self._words()

    def finish(self) -> tuple[str, ...]:
        """What came after the last element, in words; FileError where that may be data."""
        extra = next((line for line in self.lines if line.strip()), None)
        if extra is not None:
            raise FileError(f"{self.path} must end with its last element, got {brief(extra, limit=60)!r} after it.")
        return ()

    def _words(self) -> list[str]:
        words = next((words for line in self.lines if (words := line.split())), None)
        if words is None:
            raise FileError(f"{self.path} must hold what its header promises, it ends early; it is damaged or cut off.")
        return words
