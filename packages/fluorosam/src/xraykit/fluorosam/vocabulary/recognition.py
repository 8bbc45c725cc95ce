"""From a text to what it asks for: exact name, known wording, or the nearest that is known."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from xraykit.render import InputError

from .noun_phrases import known_phrases, phrases_of
from .rest_words import check_rest, passed_over, sides_of
from .spelling import normalise, without_plurals
from .structures import STRUCTURES
from .targets import PromptTarget, all_targets, find_target
from .text_check import check_text

# "In this AP pelvis, ..." and "... on this lateral chest radiograph": where, not what.
_LEADING = re.compile(r"^(?:in|on) (?:this|the present|the) [^,]*, ", re.IGNORECASE)
_TRAILING = re.compile(r",? (?:in|on) this [^,.;?]*?(?=,| is | are | show| and | as |[.;?]|$)", re.IGNORECASE)
_IMAGE_SIDE = re.compile(r"\b(left|right)(?:-hand)?(?: side)? of the (?:image|picture|film)|image's (left|right)")
_BONE = re.compile(r"\s+bones?\b", re.IGNORECASE)
_LONGEST = 16  # words of the longest name
_ALIKE = 0.8  # of two words, difflib's ratio
_BEFORE_BONES = frozenset({"trace", "show", "shows", "point", "need", "see", "these", "patients", "with"})
"""Words that go before "bones" and look like anatomy that is spelt wrongly."""


@dataclass(frozen=True)
class UnderstoodText:
    """What a text asks for.

    Args:
        target: What it names.
        passed_over: Words in it that neither name nor ask: "alta" in "patella alta", "neck" in "neck of the femur".
    """

    target: PromptTarget
    passed_over: tuple[str, ...] = ()

    def note(self, text: str) -> str:
        """One sentence about the words that were passed over, or ""."""
        if not self.passed_over:
            return ""
        words = ", ".join(map(repr, self.passed_over[:4]))
        return f"{text[:60]!r} is taken as {phrases_of(self.target.name)[0].text!r}; the vocabulary has no {words}."


def resolve(text: str) -> PromptTarget:
    """What a text asks for, the target of `understand`."""
    return understand(text).target


def understand(text: str) -> UnderstoodText:
    """What a text asks for: "L4 vertebra", "please segment the left 5th rib in this chest X-ray.", "femur_left".

    Names are looked up first, then every wording that prompts are written with, then the longest such wording within
    the text; case, punctuation, plurals, "L" for left and British spelling do not matter. The right of the image is
    the patient's left, as a frontal X-ray is looked at.

    Raises:
        InputError: The text is no legal prompt, names nothing known (the nearest is suggested), several things or both
            sides, says what is not meant, or spells a side wrongly.
    """
    clean = check_text(text)
    name = "_".join(clean.split())
    for known in (name, name.lower()):
        if known in all_targets():
            return UnderstoodText(find_target(known))
    clean = _IMAGE_SIDE.sub(_patient_side, clean)
    for candidate in dict.fromkeys((clean, _asked(clean))):
        plain = normalise(candidate)
        for phrases, words in ((known_phrases(), plain), (_singular_phrases(), without_plurals(plain))):
            if words in phrases:
                return UnderstoodText(find_target(phrases[words]))
    found, rest = _named(plain)
    if len(found) == 1:
        check_rest(rest, found[0], clean)
        return UnderstoodText(find_target(found[0]), passed_over(rest, found[0]))
    if found:
        raise InputError(f"a prompt must name one thing, got {' and '.join(found)} in {clean!r}; ask for one by one.")
    near = ", ".join(suggest(_BONE.sub("", clean) or clean, 3) or ("femur", "liver", "L4"))
    raise InputError(f"a prompt must name something known, got {clean!r}; such as: {near}.")


def suggest(text: str, count: int = 5) -> tuple[str, ...]:
    """The usual wordings of the targets nearest to what was typed, best first; for completion while typing.

    Wordings that begin with the text come first, then those with a word that does, those that hold it, those that
    are spelt alike, and those with a word of the same stem ("humeral head", "humerus").
    """
    plain = normalise(text)
    if not plain:
        return ()
    phrases = known_phrases()
    ranked = sorted((rank, len(phrase), phrase) for phrase in phrases if (rank := _rank(phrase, plain)) is not None)
    best = [phrase for _, _, phrase in ranked]
    if len(best) < count:
        best += difflib.get_close_matches(plain, list(phrases), n=4 * count, cutoff=0.6)
    if len(best) < count:
        stems = {f" {word[: max(4, round(0.6 * len(word)))]}" for word in plain.split() if len(word) > 4}
        best += sorted((phrase for phrase in phrases if any(stem in f" {phrase}" for stem in stems)), key=len)
    names = list(dict.fromkeys(phrases[phrase] for phrase in best))
    return tuple(phrases_of(name)[0].text for name in names[:count])


def _rank(phrase: str, typed: str) -> int | None:
    if phrase.startswith(typed):
        return 0
    return 1 if f" {typed}" in phrase else 2 if typed in phrase else None


def _within(plain: str, phrases: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The targets of the longest known phrases in a text that do not overlap, and its other words, "" for each phrase.

    A side that no phrase took belongs to the one pair that was found: "kneecap of the left leg".
    """
    words, found, rest, start = plain.split(), [], [], 0
    while start < len(words):
        ends = range(min(len(words), start + _LONGEST), start, -1)
        end = next((end for end in ends if " ".join(words[start:end]) in phrases), None)
        if end is not None:
            found.append(phrases[" ".join(words[start:end])])
        rest.append(words[start] if end is None else "")
        start = end or start + 1
    found, sides = list(dict.fromkeys(found)), sides_of(rest)
    if len(found) == len(sides) == 1 and found[0] in STRUCTURES and STRUCTURES[found[0]].side == "both":
        return [STRUCTURES[found[0]].labels[0 if "left" in sides else 1]], rest
    return found, rest


def _named(plain: str) -> tuple[list[str], list[str]]:
    """The targets that a text names, and its other words. In "rib bones" the second word says nothing more."""
    found: list[str] = []
    rest: list[str] = []
    for words, phrases in ((plain, known_phrases()), (without_plurals(plain), _singular_phrases())):
        named, others = _within(words, phrases)
        kept = [name for name in named if name != "bones"] or found or named
        found, rest = kept, others if kept is not found else rest
        if found and found != ["bones"]:
            return found, rest
    return ([] if _is_some_bone(plain.split()) else found), rest


def _is_some_bone(words: list[str]) -> bool:
    """Whether a text that names nothing but bones means some bone that is not known: "left femor bone"."""
    if {"left", "right"} & set(words):
        return True
    place = next((n for n, word in enumerate(words) if word in ("bone", "bones")), 0)
    before = words[place - 1] if place else ""
    if len(before) < 4 or before in _BEFORE_BONES or before in _known_words():
        return False
    return bool(difflib.get_close_matches(before, _known_words(), n=1, cutoff=_ALIKE))


@lru_cache(maxsize=1)
def _known_words() -> Mapping[str, None]:
    """Every longer word of the known phrases, in the order of the alphabet."""
    words = {word for phrase in known_phrases() for word in phrase.split()}
    return dict.fromkeys(sorted(word for word in words if len(word) > 3))


def _asked(text: str) -> str:
    """The text without where to look, and without what a thing is: ", the long bone of the thigh"."""
    text = _TRAILING.sub("", _LEADING.sub("", text))
    for gloss in _glosses():
        text = text.replace(f", {gloss}", "").replace(f": {gloss}", "")
    return text


@lru_cache(maxsize=1)
def _glosses() -> frozenset[str]:
    return frozenset(one.gloss for one in STRUCTURES.values() if one.gloss)


def _patient_side(found: re.Match[str]) -> str:
    return "patient's " + {"left": "right", "right": "left"}[found[1] or found[2]]


@lru_cache(maxsize=1)
def _singular_phrases() -> Mapping[str, str]:
    """Phrases without plurals; "left femurs" is a left femur. A singular of its own wins over a plural's."""
    phrases: dict[str, str] = {}
    for phrase, name in known_phrases().items():
        phrases.setdefault(without_plurals(phrase), name)
    return phrases
