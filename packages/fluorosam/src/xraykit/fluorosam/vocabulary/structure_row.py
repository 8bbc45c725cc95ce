"""A line of the tables of structures."""

from __future__ import annotations

from typing import NamedTuple

from .structure import BodyPart
from .words import Word, parse_words


class StructureRow(NamedTuple):
    """A structure, or both of a pair where `sided`."""

    base: str
    noun: str
    body_part: BodyPart
    words: tuple[Word, ...]
    gloss: str
    sided: bool


def row(
    base: str,
    noun: str,
    body_part: BodyPart,
    clinical: str,
    latin: str = "",
    lay: str = "",
    *,
    gloss: str = "",
    sided: bool = False,
) -> StructureRow:
    """A line of a table; `parse_words` reads the three lists."""
    words = (*parse_words(clinical), *parse_words(latin, "latin"), *parse_words(lay, "lay"))
    return StructureRow(base, noun, body_part, words, gloss, sided)
