"""A point of one view and one of another, marked as showing the same or not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from xraykit.render import FileError, InputError

from ..data.json_fields import finite, listed_values, needed, text, whole, xy, zero_or_one

MOST_NAME = 200  # letters
KEYS = ("a", "b", "y", "radius", "name")


@dataclass(frozen=True)
class MarkedPair:
    """Two points of two views, x right and y down in pixels of the original images.

    Args:
        views: Numbers of the views, the smaller first.
        a: Point of the first.
        b: Point of the second.
        is_match: Whether both show the same.
        radius: How exact the points are [px]; None is not stated.
        name: What they show.
        more: What else a file says of the pair.

    Raises:
        InputError: One view twice or in the wrong order, a number that is not finite, a negative radius, or a name that
            is too long or no whole text.
    """

    views: tuple[int, int]
    a: tuple[float, float]
    b: tuple[float, float]
    is_match: bool = True
    radius: float | None = None
    name: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.views[0] < self.views[1]:
            raise InputError(f"a pair needs points of two views, got views {self.views[0]} and {self.views[1]}.")
        if not all(map(math.isfinite, (*self.a, *self.b))):
            raise InputError(f"points must be finite, got {self.a} and {self.b}.")
        if self.radius is not None and not (math.isfinite(self.radius) and self.radius >= 0):
            raise InputError(f"the radius must be 0 px or more, got {self.radius:g}.")
        if len(self.name) > MOST_NAME:
            raise InputError(f"a name must have at most {MOST_NAME} letters, got {len(self.name)}.")
        try:
            text(self.name, "a name", may_lack=True)
        except ValueError as error:
            raise InputError(f"{error}.") from error

    def marked(self, is_match: bool) -> MarkedPair:
        """The same points, a match or not."""
        return replace(self, is_match=is_match)

    def same_points(self, other: MarkedPair) -> bool:
        """Whether both lie at the same places of the same views."""
        return (self.views, self.a, self.b) == (other.views, other.a, other.b)


def ordered_pair(first: int, a: tuple[float, float], second: int, b: tuple[float, float], **rest: Any) -> MarkedPair:
    """The pair with the smaller view first; coordinates are kept to 0.01 px."""
    a, b = (round(a[0], 2), round(a[1], 2)), (round(b[0], 2), round(b[1], 2))
    if first > second:
        first, second, a, b = second, first, b, a
    return MarkedPair((first, second), a, b, **rest)


def pairs_from_rows(rows: Any, *, count: int, place: str) -> list[MarkedPair]:
    """The pairs in the `pairs` of a sample.

    Args:
        rows: A list of {"views": [0, 1], "points": [{"a": [x, y], "b": [x, y], "y": 1, ...}]}.
        count: How many views the sample has.
        place: Where they stand, for messages.

    Raises:
        FileError: They are something else.
    """
    found = []
    try:
        for number, row in enumerate(listed_values(rows, "pairs")):
            said = f"pair {number}"
            views = listed_values(needed(row, "views", said), f"{said}, views", count=2)
            first, second = (whole(view, f"{said}, views") for view in views)
            if max(first, second) >= count:
                raise ValueError(f"{said} must name views 0 to {count - 1}, got {first} and {second}")
            points = listed_values(needed(row, "points", said), f"{said}, points")
            found += [_pair(first, second, point, f"{said}, point {n}") for n, point in enumerate(points)]
    except ValueError as error:
        raise FileError(f"{place}: {str(error).removesuffix('.')}; repair it first.") from error
    return found


def _pair(first: int, second: int, row: Any, place: str) -> MarkedPair:
    match = zero_or_one(needed(row, "y", place), f"{place}, y")
    a, b = (xy(needed(row, key, place), f"{place}, {key}") for key in ("a", "b"))
    radius = None if row.get("radius") is None else finite(row["radius"], f"{place}, radius")
    name = text(row.get("name"), f"{place}, name", may_lack=True)
    more = {key: value for key, value in row.items() if key not in KEYS}
    return ordered_pair(first, a, second, b, is_match=match, radius=radius, name=name, more=more)


def rows_of_pairs(pairs: Iterable[MarkedPair]) -> list[dict[str, Any]]:
    """`pairs` of a sample: the points of each two views together, in the order in which they were marked."""
    table: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for pair in pairs:
        row: dict[str, Any] = {"a": list(pair.a), "b": list(pair.b), "y": int(pair.is_match)}
        if pair.radius is not None:
            row["radius"] = pair.radius
        if pair.name:
            row["name"] = pair.name
        row |= {key: value for key, value in pair.more.items() if key != "neg_source" or not pair.is_match}
        if not pair.is_match:
            row.setdefault("neg_source", "annotator")
        table.setdefault(pair.views, []).append(row)
    return [{"views": list(views), "points": points} for views, points in sorted(table.items())]


def refuse_repeat(pair: MarkedPair, others: Sequence[MarkedPair]) -> None:
    """Refuse points that are marked already.

    Raises:
        InputError: They are, as the same or as the contrary.
    """
    for number, other in enumerate(others, start=1):
        if pair.same_points(other):
            what = "a match" if other.is_match else "no match"
            raise InputError(f"these two points must be new, got those of pair {number}, {what}; change or delete it.")
