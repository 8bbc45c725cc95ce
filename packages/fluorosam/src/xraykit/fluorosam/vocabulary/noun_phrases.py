"""Every name of a target as a noun phrase: word, side, level, and place next to others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from .groups import GROUP_ALIASES, TARGET_GROUPS
from .positions import position_texts
from .spelling import normalise
from .structure import AnatomicalStructure, BodySide
from .structures import STRUCTURES
from .targets import all_targets, find_target
from .tools import TOOLS, ToolTerm
from .words import Word

_NO_ARTICLE = re.compile(
    r"(both|every|everything|all|bilateral|(left |right )?rib (\d+|number)|vertebra ([CTLS]\d+|\w+ [IVX]+$))\b"
    r"|[CTLS]\d+( to |$)|metal$|foreign metal$|[a-z]+ \w+ number "
)

# Forms with {n} a singular or a plural, and whether training must not see them.
_ONE_SIDE = (
    ("{side} {n}", False), ("{n} on the {side}", False), ("{n} on the {side} side", False),
    ("patient's {side} {n}", False), ("{n} on the patient's {side}", False),
    ("{n} ({side})", True), ("{n} of the {side} side", True),
)  # fmt: skip
_BOTH_SIDES = (
    ("both {n}", False),
    ("{n} on both sides", False),
    ("left and right {n}", False),
    ("bilateral {n}", True),
)


@dataclass(frozen=True)
class NounPhrase:
    """A name for a target, without article.

    Args:
        text: "left femur", "L4", "ribs on the left", "vertebra below L3".
        source: Where it comes from: clinical, latin, lay, position, description.
        held_out: Kept for evaluation.
        is_plural: "ribs".
        has_article: Whether "the" goes before it in a sentence.
    """

    text: str
    source: str = "clinical"
    held_out: bool = False
    is_plural: bool = False
    has_article: bool = True

    @property
    def with_article(self) -> str:
        """In a sentence."""
        return f"the {self.text}" if self.has_article else self.text


def phrases_of(name: str) -> tuple[NounPhrase, ...]:
    """Every name of a target, the usual one first; no text twice.

    Raises:
        InputError: The target is not known.
    """
    return _all_phrases()[find_target(name).name]


def tool_phrases(term: ToolTerm) -> tuple[NounPhrase, ...]:
    """The names of a kind of tool."""
    return _unique((*_tool_words(term.words), *_tool_words(term.descriptions, "description")))


@lru_cache(maxsize=1)
def known_phrases() -> Mapping[str, str]:
    """The target that each normalised phrase stands for."""
    known = {normalise(alias): name for alias, name in GROUP_ALIASES.items()}
    for name, phrases in _all_phrases().items():
        known.setdefault(normalise(name), name)
        known.update((normalise(phrase.text), name) for phrase in phrases)
    return MappingProxyType(known)


@lru_cache(maxsize=1)
def _all_phrases() -> Mapping[str, tuple[NounPhrase, ...]]:
    phrases: dict[str, tuple[NounPhrase, ...]] = {}
    for name in all_targets():
        if name in STRUCTURES:
            phrases[name] = _unique((*_structure_words(STRUCTURES[name]), *_positions(name)))
        elif name in TARGET_GROUPS:
            group = TARGET_GROUPS[name]
            if all_targets()[name].kind == "tool":
                phrases[name] = _unique(_with_side(word, "") for word in group.words)
            else:
                phrases[name] = _unique(p for word in group.words for p in _forms(word, group.side))
        else:
            phrases[name] = tool_phrases(TOOLS[name])
    return MappingProxyType(phrases)


def _structure_words(one: AnatomicalStructure) -> Iterator[NounPhrase]:
    for word in one.words:
        yield from _forms(word, one.side)
    if one.side in ("left", "right"):
        first = one.words[0]
        if one.noun == "rib":
            ordered = first.text.removesuffix(" rib")
            yield phrase(f"{ordered} {one.side} rib")
        else:
            yield phrase(f"{one.side[0].upper()} {first.text}", is_plural=first.is_plural)


def _forms(word: Word, side: BodySide) -> Iterator[NounPhrase]:
    if side == "both":
        yield from _both(word)
    elif side == "":
        yield _with_side(word, "")
    else:
        for pattern, held_out in _ONE_SIDE:
            if pattern.startswith("{n}") and re.search(r"\b(of|in|on|under|above|with) ", word.text):
                pattern = pattern.replace("{n} on", "{n}, on")
            text = pattern.format(side=side, n=word.text)
            yield phrase(text, word.register, held_out or word.held_out, word.is_plural)


def _both(word: Word) -> Iterator[NounPhrase]:
    yield phrase(word.text, word.register, word.held_out, word.is_plural)
    if not word.plurals:
        return
    for plural in word.plurals:
        yield phrase(plural, word.register, word.held_out, True)
    for pattern, held_out in _BOTH_SIDES:
        if not (word.is_plural and "both {n}" in pattern):
            yield phrase(pattern.format(n=word.plurals[0]), word.register, held_out or word.held_out, True)


def _with_side(word: Word, side: str) -> NounPhrase:
    return phrase(f"{side} {word.text}".strip(), word.register, word.held_out, word.is_plural)


def _tool_words(words: Iterable[Word], source: str = "") -> Iterator[NounPhrase]:
    for word in words:
        yield phrase(word.text, source or word.register, word.held_out, word.is_plural)
        if not word.is_plural:
            yield phrase(word.plurals[0], source or word.register, word.held_out, True)


def _positions(name: str) -> Iterator[NounPhrase]:
    is_plural = STRUCTURES[name].noun.endswith("s")
    for text, held_out in position_texts().get(name, ()):
        yield phrase(text, "position", held_out, is_plural)


def phrase(text: str, source: str = "clinical", held_out: bool = False, is_plural: bool = False) -> NounPhrase:
    """A noun phrase, which knows whether it takes an article."""
    bare_latin = source == "latin" and held_out and not text.startswith(("left ", "right ", "patient's "))
    return NounPhrase(text, source, held_out, is_plural, not bare_latin and _NO_ARTICLE.match(text) is None)


def _unique(phrases: Iterable[NounPhrase]) -> tuple[NounPhrase, ...]:
    """The first of each text; a text that training may use is not held out elsewhere."""
    found: dict[str, NounPhrase] = {}
    for one in phrases:
        known = found.setdefault(one.text, one)
        if known.held_out and not one.held_out:
            found[one.text] = one
    return tuple(found.values())
