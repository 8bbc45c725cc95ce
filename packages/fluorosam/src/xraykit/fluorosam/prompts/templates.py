"""Sentences around a name. {np} has its article, {bare} has none, {where} is "in this X-ray" or nothing.

{Np} and {Where} begin a sentence. {is}, {it} and {them} follow the number of the name.
"""

from __future__ import annotations

from typing import NamedTuple


class SentenceTemplate(NamedTuple):
    """A sentence, and whether training must not see it."""

    text: str
    held_out: bool = False

    @property
    def has_place(self) -> bool:
        """Whether the sentence says where to look."""
        return "here}" in self.text


def _templates(train: tuple[str, ...], held_out: tuple[str, ...]) -> tuple[SentenceTemplate, ...]:
    return (*(SentenceTemplate(text) for text in train), *(SentenceTemplate(text, True) for text in held_out))


SHORT = _templates(
    (
        "{bare}",
        "{bare}",
        "{np}",
        "segment {np}",
        "outline {np}",
        "find {np}",
        "show {np}",
        "show me {np}",
        "mark {np}",
        "highlight {np}",
        "locate {np}",
        "where {is} {np}?",
        "only {np}",
        "{bare}, please",
        "{bare} {where}",
        "segment {np} {where}",
    ),
    (
        "contour {np}",
        "trace {np}",
        "point out {np}",
        "mask of {np}",
        "can you see {np}?",
    ),
)
LONG = _templates(
    (
        "Please segment {np} {where}.",
        "Please outline {np} {where}.",
        "{Where}, segment {np}.",
        "{Where}, mark the whole of {np}.",
        "Draw the outline of {np} {where}.",
        "Which part of the picture shows {np}?",
        "Where exactly {is} {np} {where}?",
        "Mark every pixel that belongs to {np} {where}.",
        "I need a mask of {np} {where}.",
        "Show me where {np} {is} {where}.",
        "Segment all of {np}, also where other structures lie over {them}.",
        "Find {np} {where} and outline {them}.",
        "Segment {np} as far as {it} can be seen {where}.",
        "Highlight {np} for the surgeon, please.",
        "Let me see {np} {where}, please.",
        "Could you segment {np} for me?",
    ),
    (
        "Could you delineate {np} for a measurement?",
        "I am looking for {np}; please trace {them}.",
        "For planning I need the borders of {np} {where}.",
        "The region of interest {where} is {np}.",
        "Colour in {np} and leave out all else.",
        "Tell me which pixels {where} show {np}.",
    ),
)
GLOSSED = _templates(
    (
        "Segment {np}, {gloss}.",
        "Please outline {np}, {gloss}, {where}.",
        "{Where}, find {np}: {gloss}.",
        "{Np}, {gloss}.",
    ),
    ("I would like to see {np}, that is, {gloss}.",),
)

PLACES = (SentenceTemplate("in this X-ray"), SentenceTemplate("on this radiograph"), SentenceTemplate("in this image"),
          SentenceTemplate("on this X-ray image"), SentenceTemplate("on this plain film", True))  # fmt: skip
VIEW_PLACES = (
    SentenceTemplate("in this {view}"),
    SentenceTemplate("on this {view} X-ray"),
    SentenceTemplate("on this {view} film", True),
)
"""Of a name that ends in "view" the last word is left out."""
