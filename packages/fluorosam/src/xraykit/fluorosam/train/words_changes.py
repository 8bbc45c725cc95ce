"""Texts as hurried people write them: other order, abbreviations, numbers, words around it, slips of the fingers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..network.text_encoder import vocabulary_words
from ..prompts.templates import GLOSSED, LONG, PLACES, SHORT, VIEW_PLACES
from ..vocabulary.levels import NUMBERS, ORDINALS, ordinal
from ..vocabulary.noun_phrases import known_phrases, phrases_of
from ..vocabulary.targets import all_targets

TextChange = Callable[[str, np.random.Generator], str]

_VERBS = ("segment", "outline", "find", "show", "mark", "highlight", "locate", "draw", "let", "could", "please")
_BEFORE_NAME = ("please find", "find me", "i want", "i want to see", "give me", "now", "next", "just", "looking for",
                "please show", "segment", "get")  # fmt: skip
_BEFORE_VERB = ("please", "now", "ok,", "can you", "could you", "next,")
_AFTER = ("please", ", please", "thanks", ", thank you", "now", "for me")
_SHORT_SIDES = {"left": ("l", "lt", "l."), "right": ("r", "rt", "r.")}
_NO_NAME = ("where", "which", "in this", "on this", "i need", "i am", "only", "can", "colour", "tell", "for")
_FIRST_SIDE = re.compile(r"^(?:the )?(left|right) (?!and |or |side)([^.?,]+)$", re.IGNORECASE)
_LEVEL = re.compile(r"\b([CTLS])(\d{1,2})\b", re.IGNORECASE)
_TYPED = re.compile(r"[a-z]{5,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_RANKS = {word: ordinal(n) for n, word in enumerate(ORDINALS, start=1)}
_RANKS |= {word: str(n) for n, word in enumerate(NUMBERS, start=1)}
_SPELT = {short: word for word, short in _RANKS.items()}


def changed_text(text: str, rng: np.random.Generator) -> str:
    """The text with a few changes that leave what it asks for as it is.

    A word that becomes another known word is left alone, so a carpal bone never turns into a tarsal one. No change
    makes a wording that the grammar holds out.

    Args:
        text: A prompt.
        rng: Draws the changes.
    """
    for change, share in _CHANGES:
        if rng.random() < share:
            text = change(text, rng)
    return text


def with_typo(text: str, rng: np.random.Generator) -> str:
    """One word of five letters or more mistyped: two letters exchanged, one left out, doubled or wrong.

    The first letter stays; texts without such a word come back as they are.
    """
    found = list(_TYPED.finditer(text.lower()))
    if not found:
        return text
    place = found[int(rng.integers(len(found)))]
    word = place[0]
    at = int(rng.integers(1, len(word) - 1))
    wrong = _LETTERS[int(rng.integers(len(_LETTERS)))]
    made = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + wrong + word[at + 1 :],
    )[int(rng.integers(4))]
    if made in _known_words():
        return text
    return text[: place.start()] + made + text[place.end() :]


def _asked_for(text: str, rng: np.random.Generator) -> str:
    """A name in a sentence, a sentence with a word of courtesy."""
    plain = text.lower()
    if plain.startswith(_VERBS):
        return text if plain.startswith(("could", "please")) else f"{_one(_BEFORE_VERB, rng)} {text}"
    if "?" in text or plain.endswith(".") or plain.startswith(_NO_NAME):
        return text
    article = "" if plain.startswith(("the ", "both ", "all ", "every")) or rng.random() < 0.4 else "the "
    return f"{_one(_BEFORE_NAME, rng)} {article}{text}"


def _thanked(text: str, rng: np.random.Generator) -> str:
    bare = text.rstrip(".?")
    return text if "please" in text.lower() else f"{bare} {_one(_AFTER, rng)}".replace(" ,", ",")


def _side_last(text: str, rng: np.random.Generator) -> str:
    """The side last: "femur left"."""
    found = None if " this " in text else _FIRST_SIDE.match(text)
    return f"{found[2]}{_one((' ', ', '), rng)}{found[1]}" if found else text


def _side_short(text: str, rng: np.random.Generator) -> str:
    """L or lt for "left"; where both sides are named, or a direction is, words stay."""
    plain = text.lower()
    if len(re.findall(r"\b(?:left|right)\b", plain)) != 1 or re.search(r"\bto the (?:left|right) of\b", plain):
        return text
    return re.sub(r"\b(left|right)\b", lambda found: _one(_SHORT_SIDES[found[1].lower()], rng), text, flags=re.I)


def _numbers(text: str, rng: np.random.Generator) -> str:
    """Numbers as 4th for "fourth" and back, L-4 or L 4 for "L4"."""
    sign = _one(("-", " ", ""), rng)
    text = _LEVEL.sub(lambda found: f"{found[1]}{sign}{found[2]}", text)
    return re.sub(r"\b\w+\b", lambda found: _RANKS.get(found[0], _SPELT.get(found[0], found[0])), text)


def _plural(text: str, rng: np.random.Generator) -> str:
    """An s more or less on one word, where that is a known word as well."""
    words = text.split(" ")
    known = _known_words()
    fits = [n for n, word in enumerate(words) if len(word) > 3 and _other_number(word) in known and word in known]
    if fits:
        n = fits[int(rng.integers(len(fits)))]
        words[n] = _other_number(words[n])
    return " ".join(words)


def _other_number(word: str) -> str:
    return word[:-1] if word.endswith("s") else f"{word}s"


def _strange_words(text: str, rng: np.random.Generator) -> str:
    """A few words before or after it that say nothing, so that whatever is not known is passed over."""
    words = _fillers()
    said = " ".join(words[int(row)] for row in rng.integers(len(words), size=1 + int(rng.integers(5))))
    return f"{said} {text}" if rng.random() < 0.6 else f"{text} {said}"


def _no_articles(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"\b(?:the|a) ", "", text, flags=re.I) if rng.random() < 0.7 else text


def _no_signs(text: str, rng: np.random.Generator) -> str:
    signs = ".?,:;" if rng.random() < 0.5 else ".?,:;-"
    return " ".join("".join(" " if sign in signs else sign for sign in text.replace("'", "")).split()) or text


def _typos(text: str, rng: np.random.Generator) -> str:
    for _ in range(1 + int(rng.random() < 0.3)):
        text = with_typo(text, rng)
    return text


_CHANGES: tuple[tuple[TextChange, float], ...] = (
    (_side_last, 0.3),
    (_side_short, 0.25),
    (_numbers, 0.3),
    (_plural, 0.1),
    (_asked_for, 0.3),
    (_thanked, 0.1),
    (_strange_words, 0.4),
    (_no_articles, 0.2),
    (_no_signs, 0.3),
    (_typos, 0.4),
)


@lru_cache(maxsize=1)
def _known_words() -> frozenset[str]:
    """Every word that a name of a target has."""
    texts = [phrase.text.lower() for name in all_targets() for phrase in phrases_of(name)]
    return frozenset(word for text in (*texts, *known_phrases()) for word in re.findall(r"[^\W_]+", text))


@lru_cache(maxsize=1)
def _fillers() -> tuple[str, ...]:
    """Words of the vocabulary that no name of a target and no held-out sentence has."""
    sentences = (*SHORT, *LONG, *GLOSSED, *PLACES, *VIEW_PLACES)
    held = {word for one in sentences if one.held_out for word in re.findall(r"[a-z]+", one.text.lower())}
    never = held | _known_words() | {"left", "right", "lt", "rt"}
    return tuple(word for word in vocabulary_words() if word not in never)


def _one(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
