"""Vertebrae and ribs: names and words by level."""

from __future__ import annotations

from collections.abc import Iterator

from .structure import BodyPart
from .structure_row import StructureRow
from .words import Word

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
VERTEBRAE = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
)
"""Levels from the head down; S1 is the first part of the sacrum."""

_PARTS: dict[str, tuple[str, str, str, BodyPart]] = {
    "C": ("cervical", "vertebra cervicalis", "neck", "neck"),
    "T": ("thoracic", "vertebra thoracica", "chest", "thorax"),
    "L": ("lumbar", "vertebra lumbalis", "lower back", "abdomen"),
}
_OWN_NAMES = {
    "C1": (Word("atlas", ("atlases",)), Word("topmost vertebra", ("topmost vertebrae",), "lay", held_out=True)),
    "C2": (Word("axis", ("axes",)), Word("axis vertebra", ("axis vertebrae",), held_out=True)),
    "C7": (Word("vertebra prominens", ("vertebrae prominentes",), "latin", held_out=True),),
    "T12": (Word("last thoracic vertebra", ("last thoracic vertebrae",)),),
    "L5": (
        Word("last lumbar vertebra", ("last lumbar vertebrae",)),
        Word("lowest lumbar vertebra", ("lowest lumbar vertebrae",), held_out=True),
    ),
}


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ... 12th."""
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number, 'th') }"


def vertebra_rows() -> Iterator[tuple[str, StructureRow]]:
    """Each level and its row, from C1 down to S1."""
    for level in VERTEBRAE:
        part, latin, lay, body_part = _PARTS[level[0]]
        n = int(level[1:])
        first, number = ORDINALS[n - 1], NUMBERS[n - 1]
        words = [
            _vertebra(level),
            _vertebra(f"{level} vertebra"),
            _vertebra(f"vertebra {level}"),
            _vertebra(f"{first} {part} vertebra"),
            _vertebra(f"{ordinal(n)} {part} vertebra"),
            *_OWN_NAMES.get(level, ()),
            Word(f"{first} vertebra of the {lay}", (), "lay"),
            Word(f"{part} vertebra number {number}", (), "clinical", held_out=True),
            Word(f"{latin} {ROMAN[n - 1]}", (), "latin", held_out=True),
        ]
        if part == "thoracic":
            words.append(Word(f"{first} dorsal vertebra", (), "clinical", held_out=True))
        yield level, StructureRow(f"vertebrae_{level}", "vertebra", body_part, tuple(words), "", False)
    words = (
        *(_vertebra(text) for text in ("S1", "S1 vertebra", "first sacral vertebra")),
        Word("first sacral segment", (), "clinical"),
        Word("vertebra sacralis I", (), "latin", held_out=True),
        Word("sacral segment number one", (), "clinical", held_out=True),
    )
    yield "S1", StructureRow("vertebrae_S1", "vertebra", "pelvis", words, "", False)


def rib_rows() -> Iterator[tuple[str, StructureRow]]:
    """Each level and the row of the pair, from the first rib to the twelfth."""
    for n, (first, number, roman) in enumerate(zip(ORDINALS, NUMBERS, ROMAN, strict=True), start=1):
        words = [
            Word(f"{first} rib", (f"{first} ribs",)),
            Word(f"{ordinal(n)} rib", (f"{ordinal(n)} ribs",)),
            Word(f"rib {n}", ()),
            Word(f"rib number {number}", (), held_out=True),
            Word(f"costa {roman}", (), "latin", held_out=True),
        ]
        if n in (1, 12):
            place = "top" if n == 1 else "lowest"
            words.append(Word(f"{place} rib", (f"{place} ribs",), "lay"))
        yield str(n), StructureRow(f"rib_{n}", "rib", "thorax", tuple(words), "", True)


def _vertebra(text: str) -> Word:
    plural = text.replace("vertebra", "vertebrae") if "vertebra" in text else text
    return Word(text, () if plural == text else (plural,))
