"""Which texts may ask for a target in an image, as it is after all changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, Protocol, get_args

import numpy as np

from xraykit.render import InputError
from xraykit.render.views import STANDARD_VIEWS

from ..vocabulary.mirror_images import left_right
from ..vocabulary.structures import STRUCTURES, mirrored_name

TextWording = Literal["train", "held_out"]
"""Which texts are used: those for training, or wordings that training never sees."""


class TargetText(Protocol):
    """A text that asks for a target; `xraykit.fluorosam.prompts.TextPrompt` is one.

    Where it has a `source` that speaks of an "image side", it says on which side of the picture the target is.
    """

    @property
    def text(self) -> str:
        """What a person would write."""
        ...

    @property
    def split(self) -> str:
        """What it is for, "train" or "held_out"."""
        ...

    @property
    def view(self) -> str:
        """The standard view that it speaks of; "" fits any image."""
        ...


class TargetTexts:
    """Texts by target, of one split, drawn so that they are true of the image.

    Args:
        texts: By the name of a target.
        wording: "train" or "held_out".

    Attributes:
        targets: Those that have a text for any image; others cannot be asked for.

    Raises:
        InputError: No text of this wording, or another wording.
    """

    def __init__(self, texts: Mapping[str, Sequence[TargetText]], *, wording: TextWording = "train") -> None:
        if wording not in get_args(TextWording):
            raise InputError(f"wording must be train or held_out, got {str(wording)[:40]!r}.")
        self._texts: dict[tuple[str, str], list[tuple[str, bool]]] = {}
        self.targets: set[str] = set()
        for target, written in texts.items():
            for one in written:
                if one.split == wording:
                    says_side = "image side" in getattr(one, "source", "")
                    self._texts.setdefault((target, one.view), []).append((one.text, says_side))
                    if not one.view and not says_side:
                        self.targets.add(target)
        if not self.targets:
            raise InputError(
                f"texts must have one of the wording {wording} that fits any view, got none; write prompts."
            )

    def draw(
        self, target: str, rng: np.random.Generator, *, view: str = "", turned: bool = False, side: str = ""
    ) -> str:
        """A text that asks for one of `targets`.

        Args:
            target: Its name.
            rng: Random numbers.
            view: The image's view, as `mirrored_view` says it; "" for none that has a name.
            turned: Whether the image was turned so far that its sides are others.
            side: On which side of the image the target is, "left" or "right"; "" if that is not known.
        """
        found = list(self._texts.get((target, ""), ()))
        if view:
            found += self._texts.get((target, view), ())
        structure = STRUCTURES.get(target)
        expected = {"left": "right", "right": "left"}.get(structure.side if structure else "", "?")
        says_truth = not turned and side == expected
        legal = [text for text, says_side in found if says_truth or not says_side]
        return legal[int(rng.integers(len(legal)))]


def mirrored_view(view: str, *, mirrored: bool = False) -> str:
    """The standard view that an image shows if its patient was mirrored; "" if it has no name."""
    if view not in STANDARD_VIEWS or not mirrored:
        return view if view in STANDARD_VIEWS else ""
    twin = mirrored_name(view)
    return twin if twin in STANDARD_VIEWS and not {"rao", "lao"} & set(view.split("_")) else ""


def askable(names: Collection[str], texts: TargetTexts, *, mirrored: bool) -> Iterator[tuple[str, str]]:
    """Targets of an image that have texts, each with the name that it is asked by."""
    for name in names:
        asked = left_right(name) if mirrored else name
        if asked is not None and asked in texts.targets:
            yield name, asked
