"""Small cases with true masks, and methods whose answers are known beforehand."""

from __future__ import annotations

from typing import Any

import torch
from support.dataset_shards import disc
from xraykit.fluorosam.evaluate import MaskAnswer, SegmentationCase

KINDS = frozenset(("text", "text_held_out", "box", "points", "text_points", "absent"))


def small_case(number: int = 0, *, size: int = 32, view: str = "pelvis_ap", spacing: Any = (0.5, 0.5)):
    """Two hip bones and a rod: discs that do not touch."""
    left, right = disc(size, 0.72 * size, size / 2, size / 5), disc(size, 0.28 * size, size / 2, size / 5)
    annotations = torch.stack([torch.from_numpy(mask) for mask in (left, right)])
    image = annotations.any(dim=0).float() + 0.01 * number
    targets = {"hip_left": (0,), "hip_right": (1,), "hip": (0, 1)}
    return SegmentationCase(
        f"case{number}", str(number // 2), view, image, "bright", annotations, targets, ("skull", "femur_left"), spacing
    )


class Knowing:
    """Answers with the true mask, or with what `drawn` makes of it."""

    def __init__(self, *, name="knowing", kinds=KINDS, drawn=lambda mask, question: mask, visible=True):
        self.name, self.kinds, self.drawn, self.visible = name, kinds, drawn, visible
        self.asked: list[Any] = []

    def look(self, case):
        self.case = case

    def answer(self, questions):
        self.asked += questions
        return [self._answer(one) for one in questions]

    def _answer(self, question):
        if question.target not in self.case.targets:
            return MaskAnswer(torch.zeros(self.case.image.shape, dtype=torch.bool), 0.0, visible=False)
        return MaskAnswer(self.drawn(self.case.mask(question.target), question), 0.9, self.visible, state=question)
