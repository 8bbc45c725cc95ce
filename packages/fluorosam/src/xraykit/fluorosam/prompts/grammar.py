"""The grammar: a name, a sentence around it, and where to look; drawn by seed, target and split alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xraykit.render import InputError

from ..vocabulary.noun_phrases import NounPhrase, phrase, phrases_of, tool_phrases
from ..vocabulary.spelling import normalise
from ..vocabulary.structures import STRUCTURES
from ..vocabulary.targets import find_target
from ..vocabulary.tools import ToolTerm
from .templates import GLOSSED, LONG, PLACES, SHORT, VIEW_PLACES, SentenceTemplate
from .text_prompt import KINDS, WORDINGS, TextKind, TextPrompt, Wording
from .view_names import check_view, is_frontal, view_words

_WEIGHTS = {"clinical": 5.0, "lay": 2.0, "position": 2.0, "image side": 3.0, "latin": 1.0, "description": 2.5}
_GLOSS_SHARE, _USUAL_SHARE, _TRIES = 0.15, 0.2, 60


def write_texts(
    target: str,
    count: int,
    *,
    kind: TextKind = "short",
    split: Wording = "train",
    view: str = "",
    image_sides: bool = True,
    seed: int = 0,
    tools: Mapping[str, ToolTerm] | None = None,
) -> tuple[TextPrompt, ...]:
    """Different texts that ask for a target; fewer than `count` where the grammar has no more.

    Texts depend on these arguments alone. In the split "held_out" each has a word or a sentence that no text of
    "train" has.

    Args:
        target: A structure, group or kind of tool, or a name in `tools`.
        count: How many.
        kind: "short" or "long".
        split: "train" or "held_out".
        view: A standard view; half of the texts then name it, and in AP views of the trunk some the side of the image.
        image_sides: Whether they may name that side.
        seed: From 0 up.
        tools: Further kinds of tools, of a tool library.

    Raises:
        InputError: An unknown target or view, or an impossible count, kind, split or seed.
    """
    if count < 0 or seed < 0 or kind not in KINDS or split not in WORDINGS:
        raise InputError(
            f"expected count and seed from 0 up, kind short or long, and split train or held_out, "
            f"got {count}, {seed}, {kind} and {split}."
        )
    words = view_words(check_view(view))
    known = (tools or {}).get(target)
    target = target if known else find_target(target).name
    phrases = tool_phrases(known) if known else phrases_of(target)
    if image_sides and is_frontal(view):
        phrases = (*phrases, *_image_sides(target))
    structure = STRUCTURES.get(target)
    gloss = structure.gloss if structure and structure.side != "both" else ""
    rng = _stream(seed, target, kind, split, view)
    writer = _Writer(phrases, gloss, words, view, kind, split == "held_out", rng)
    found: dict[str, TextPrompt] = {}
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        text, source, names_view = writer.draw()
        made = TextPrompt(target, text, kind, split, f"grammar/{source}", view if names_view else "")
        found.setdefault(normalise(text), made)
    return tuple(found.values())


@dataclass(frozen=True)
class _Writer:
    phrases: Sequence[NounPhrase]
    gloss: str
    view_words: str
    view: str
    kind: TextKind
    held_out: bool
    rng: np.random.Generator

    def draw(self) -> tuple[str, str, bool]:
        """A text, its source, and whether it holds for its view alone."""
        held_words = [one for one in self.phrases if one.held_out]
        what = "train"
        if self.held_out:
            what = ("word", "template", "both")[int(self.rng.integers(3))] if held_words else "template"
        noun = self._noun(held_words if what in ("word", "both") else [p for p in self.phrases if not p.held_out])
        template = self._template(noun, held_out=what in ("template", "both"))
        place, names_view = self._place(template)
        text = _filled(template.text, noun, place, self.gloss)
        source = noun.source if what == "train" else f"{noun.source}/{what}"
        return text, source, names_view or noun.source == "image side"

    def _noun(self, phrases: Sequence[NounPhrase]) -> NounPhrase:
        """The usual name now and then; else first how it is said, then which."""
        if self.rng.random() < _USUAL_SHARE and not self.held_out:
            return phrases[0]
        sources = list(dict.fromkeys(one.source for one in phrases))
        weights = np.array([_WEIGHTS[source] for source in sources])
        source = sources[int(self.rng.choice(len(sources), p=weights / weights.sum()))]
        return self._one([one for one in phrases if one.source == source])

    def _template(self, noun: NounPhrase, *, held_out: bool) -> SentenceTemplate:
        table = SHORT if self.kind == "short" else LONG
        explains = self.gloss and noun.source in ("clinical", "latin")
        if self.kind == "long" and explains and self.rng.random() < _GLOSS_SHARE:
            table = GLOSSED
        fits = [one for one in table if one.held_out == held_out]
        if noun.source == "image side":  # says where already
            fits = [one for one in fits if not one.has_place]
        return self._one(fits)

    def _place(self, template: SentenceTemplate) -> tuple[str, bool]:
        """Where to look, and whether that is the view."""
        if not template.has_place:
            return "", False
        names_view = bool(self.view_words) and self.rng.random() < 0.7
        if not names_view and self.rng.random() < 0.3 and "{Where}" not in template.text:
            return "", False
        held_out = self.held_out and self.rng.random() < 0.3
        place = self._one([one for one in (VIEW_PLACES if names_view else PLACES) if one.held_out == held_out]).text
        if names_view and "view" in self.view_words:
            place = place.removesuffix(" X-ray").removesuffix(" film")
        return place.format(view=self.view_words), names_view

    def _one(self, choices):
        return choices[int(self.rng.integers(len(choices)))]


def _filled(template: str, noun: NounPhrase, place: str, gloss: str) -> str:
    named = noun.with_article
    text = template.format_map({
        "bare": noun.text, "np": named, "Np": named[0].upper() + named[1:], "gloss": gloss,
        "where": place, "Where": place[:1].upper() + place[1:],
        "is": "are" if noun.is_plural else "is", "it": "they" if noun.is_plural else "it",
        "them": "them" if noun.is_plural else "it",
    })  # fmt: skip
    text = " ".join(text.split())
    for sign in ".?,;":
        text = text.replace(f" {sign}", sign)
    return text.replace(",,", ",").replace(",.", ".")


def _image_sides(target: str) -> tuple[NounPhrase, ...]:
    """Names by the side of a frontal picture: its right is the patient's left."""
    one = STRUCTURES.get(target)
    if one is None or one.side not in ("left", "right"):
        return ()
    seen = "right" if one.side == "left" else "left"
    said = (f"on the {seen} side of the image", f"on the image's {seen}", f"on the {seen} of the picture")
    usual = [word for word in one.words if not word.held_out][:2]
    return tuple(
        phrase(f"{word.text} {where}", "image side", False, word.is_plural) for word in usual for where in said
    )


def _stream(seed: int, target: str, *facts: str) -> np.random.Generator:
    """Unrelated numbers for every target, kind, split and view."""
    names = [zlib.crc32(name.encode()) for name in (target, *facts)]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(names)))
