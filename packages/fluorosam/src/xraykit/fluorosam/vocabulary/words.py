"""Words for a thing: singular, plurals, who says so, and whether training may use them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

Register = Literal["clinical", "latin", "lay"]
REGISTERS: tuple[Register, ...] = get_args(Register)
_AFTER_HEAD = re.compile(r"^(.+?)( (?:with|of|in|on|under|above|near|along|over|from|to|inside|below|between) .*)$")


@dataclass(frozen=True)
class Word:
    """One word or term.

    Args:
        text: Singular; of things that have none ("carpal bones") the plural.
        plurals: Its plurals; ("femora", "femurs").
        register: Who says so.
        held_out: Kept for evaluation: no training text has it.
    """

    text: str
    plurals: tuple[str, ...]
    register: Register = "clinical"
    held_out: bool = False

    @property
    def is_plural(self) -> bool:
        """Whether the text itself is a plural."""
        return self.text in self.plurals


def parse_words(line: str, register: Register = "clinical") -> tuple[Word, ...]:
    """The words of a line such as "femur/femora/femurs; thigh bone; *os femoris/ossa femoris".

    Plurals follow a slash; without one the noun gets an s; "/=" is a word that is a plural itself. A star holds a
    word out of training.
    """
    words = []
    for part in filter(None, (piece.strip() for piece in line.split(";"))):
        text, *plurals = part.lstrip("*").split("/")
        made = tuple(text if plural == "=" else plural for plural in plurals) or (_regular_plural(text),)
        words.append(Word(text, made, register, held_out=part.startswith("*")))
    return tuple(words)


def _regular_plural(text: str) -> str:
    """An s after the noun, which a preposition may follow: "screws with a round head"."""
    found = _AFTER_HEAD.match(text)
    return f"{found[1]}s{found[2]}" if found else f"{text}s"
