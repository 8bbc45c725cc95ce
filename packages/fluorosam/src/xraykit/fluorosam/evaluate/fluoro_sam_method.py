"""The network of this package under evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .cases import SegmentationCase
from .methods import MaskAnswer, MaskQuestion
from .settings import ASK_KINDS, AskKind

if TYPE_CHECKING:
    from ..predictor.fluoro_sam import FluoroSam


class FluoroSamMethod:
    """`FluoroSam` as it comes: words, points and boxes, the answer before as mask prompt.

    The mask that is scored is what the network draws (logits above 0), also where the answer is "not visible"; rows
    say both.

    Args:
        model: The predictor.
        name: In the table.
    """

    kinds: frozenset[AskKind] = frozenset(ASK_KINDS)

    def __init__(self, model: FluoroSam, *, name: str = "fluorosam") -> None:
        self.model, self.name = model, name

    def look(self, case: SegmentationCase) -> None:
        """Encode the image."""
        self.model.set_image(case.image, bone=case.bone)

    def answer(self, questions: Sequence[MaskQuestion]) -> list[MaskAnswer]:
        """All questions in one pass."""
        from ..predictor.fluoro_sam import Prompt

        prompts = [
            Prompt(
                text=one.text,
                points=one.points,
                labels=one.labels,
                box=one.box,
                mask=None if one.before is None else one.before.state,
            )
            for one in questions
        ]
        found = self.model.predict_many(prompts)
        return [
            MaskAnswer(one.logits.cpu() > 0, one.confidence, one.visible, one, _told(one.presence)) for one in found
        ]


def _told(presence: float | None) -> float:
    return float("nan") if presence is None else presence
