"""What can be evaluated: anything that answers questions about an image with masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from .cases import SegmentationCase
from .settings import AskKind


@dataclass(frozen=True, eq=False)
class MaskQuestion:
    """What is asked of an image. Coordinates are pixels of the image, the centre of the first one is (0.5, 0.5).

    Args:
        target: Its name; methods that read words do not look at it.
        text: Words, or None.
        points: (N, 2), or None.
        labels: (N,) 1 inside, 0 outside.
        box: (4,) left, top, right, bottom, or None.
        before: The answer to this question with one point less, or None.
    """

    target: str
    text: str | None = None
    points: Tensor | None = None
    labels: Tensor | None = None
    box: Tensor | None = None
    before: MaskAnswer | None = None


@dataclass(frozen=True, eq=False)
class MaskAnswer:
    """A mask and how sure the method is.

    Args:
        mask: (H, W) bool: what the method draws, whether or not it calls it visible.
        confidence: The expected IoU, 0 to 1; NaN where a method has none.
        visible: False: it says that what is asked for is not in the image.
        presence: Probability that the image shows it; NaN where a method tells none.
        state: Whatever the method wants back in `MaskQuestion.before`.
    """

    mask: Tensor
    confidence: float = float("nan")
    visible: bool = True
    state: Any = None
    presence: float = float("nan")


class EvaluatedMethod(Protocol):
    """A method under evaluation."""

    @property
    def name(self) -> str:
        """In the table."""
        ...

    @property
    def kinds(self) -> frozenset[AskKind]:
        """What it can be asked by."""
        ...

    def look(self, case: SegmentationCase) -> None:
        """Take the image that questions are about; nothing else of the case may be used but the view's name."""
        ...

    def answer(self, questions: Sequence[MaskQuestion]) -> Sequence[MaskAnswer | None]:
        """One answer a question; None where the method cannot be asked for such a target."""
        ...


class BoxFill:
    """The box itself as the mask: what a box says before anyone has looked at the image."""

    name = "box fill"
    kinds: frozenset[AskKind] = frozenset({"box"})

    def __init__(self) -> None:
        self._size = (0, 0)

    def look(self, case: SegmentationCase) -> None:
        """Keep the size."""
        self._size = (case.image.shape[0], case.image.shape[1])

    def answer(self, questions: Sequence[MaskQuestion]) -> list[MaskAnswer]:
        """Pixels whose centres lie in each box."""
        rows, columns = (torch.arange(side) + 0.5 for side in self._size)
        answers = []
        for question in questions:
            left, top, right, bottom = question.box.tolist() if question.box is not None else (0, 0, 0, 0)
            inside = ((rows > top) & (rows < bottom))[:, None] & ((columns > left) & (columns < right))
            answers.append(MaskAnswer(inside))
        return answers
