"""An anatomical structure: one label, or the two labels of a pair, with what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .words import Word

BodySide = Literal["left", "right", "both", ""]
BodyPart = Literal[
    "head", "neck", "thorax", "abdomen", "pelvis", "shoulder", "upper arm", "forearm", "hand", "thigh", "leg", "foot"
]  # fmt: skip


@dataclass(frozen=True)
class AnatomicalStructure:
    """A thing in the body that a prompt can ask for.

    Args:
        name: Of the label ("femur_left"), or of a pair ("femur").
        base: The name without its side; what the two of a pair have in common.
        noun: What sort of thing it is: bone, vertebra, rib, organ, gland, artery, vein, muscle, lobe, ...
        body_part: Where it lies.
        side: "left" and "right" by label; "both" is the pair without side; "" lies in the midline or has no twin.
        words: What it is called; the first is the usual word. The side is not in it, unless there is no twin.
        gloss: What it is, for long prompts: "the long bone of the thigh".
        level: Of vertebrae and ribs: "L4", "5".
        labels: The label names that make it up: its own name, or left, right and the label without side.
    """

    name: str
    base: str
    noun: str
    body_part: BodyPart
    side: BodySide
    words: tuple[Word, ...]
    gloss: str = ""
    level: str = ""
    labels: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """What is labelled together: all ribs, all vertebrae, the two of a pair; where one is known, all are."""
        return {"rib": "rib", "vertebra": "vertebra"}.get(self.noun, self.base)
