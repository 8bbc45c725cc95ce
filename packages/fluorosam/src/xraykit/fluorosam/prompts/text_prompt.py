"""One text and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

TextKind = Literal["short", "long"]
Wording = Literal["train", "held_out"]
KINDS: tuple[TextKind, ...] = get_args(TextKind)
WORDINGS: tuple[Wording, ...] = get_args(Wording)


@dataclass(frozen=True)
class TextPrompt:
    """A prompt.

    Args:
        target: Name of a structure, group or kind of tool.
        text: What a person would write.
        kind: "short" is a name with a word or two, "long" a sentence.
        split: "train", or "held_out" for wordings that training never sees.
        source: "grammar/clinical", "grammar/lay/word" (the word is held out), a file's or a model's name.
        view: Standard view that the text speaks of; "" fits any image.
    """

    target: str
    text: str
    kind: TextKind = "short"
    split: Wording = "train"
    source: str = "grammar"
    view: str = ""
