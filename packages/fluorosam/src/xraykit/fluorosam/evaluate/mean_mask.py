"""The mean mask of each structure: what knowing the view and nothing of the image is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .cases import SegmentationCase
from .methods import MaskAnswer, MaskQuestion
from .settings import AskKind

CELLS = 64  # along each side of the image
_LEAST_OF_VIEW = 8
_THRESHOLDS = torch.arange(1, 20) / 20


class MeanMask:
    """The mean mask of a structure in training images, cut where Dice with them is best.

    In a view with eight training masks of the structure it is that view's, else that of all views. The confidence is
    the mean IoU with the training masks; a structure without any gets an empty mask and is called not visible.

    Args:
        cases: Training images.
        report: Told of images done.
    """

    name = "mean mask"
    kinds: frozenset[AskKind] = frozenset({"text"})

    def __init__(self, cases: Iterable[SegmentationCase], *, report: Callable[[int], None] = lambda done: None) -> None:
        stacks: dict[tuple[str, str], list[Tensor]] = defaultdict(list)
        for done, case in enumerate(cases, start=1):
            small = _cells(case.annotations)
            for target, members in case.targets.items():
                mask = (small[list(members)].amax(dim=0) * 255).to(torch.uint8)
                if bool(mask.any()):
                    stacks[target, case.view].append(mask)
                    stacks[target, ""].append(mask)
            report(done)
        self._means = {
            key: _cut(torch.stack(masks).float() / 255)
            for key, masks in stacks.items()
            if key[1] == "" or len(masks) >= _LEAST_OF_VIEW
        }
        self._size, self._view = (0, 0), ""

    def look(self, case: SegmentationCase) -> None:
        """Keep the size and the view; not the image."""
        self._size, self._view = (case.image.shape[0], case.image.shape[1]), case.view

    def answer(self, questions: Sequence[MaskQuestion]) -> list[MaskAnswer]:
        """The mean mask of each target at the image's size."""
        return [self._answer(one.target) for one in questions]

    def _answer(self, target: str) -> MaskAnswer:
        found = self._means.get((target, self._view), self._means.get((target, "")))
        if found is None:
            return MaskAnswer(torch.zeros(self._size, dtype=torch.bool), 0.0, visible=False)
        mean, threshold, quality = found
        large = F.interpolate(mean[None, None], self._size, mode="bilinear")[0, 0]
        return MaskAnswer(large >= threshold, quality)


def _cells(annotations: Tensor) -> Tensor:
    """Masks (A, H, W) as shares of CELLS x CELLS cells."""
    if not len(annotations):
        return torch.zeros(0, CELLS, CELLS)
    return F.adaptive_avg_pool2d(annotations.float(), CELLS)


def _cut(masks: Tensor) -> tuple[Tensor, float, float]:
    """The mean of masks (N, C, C), the threshold of the best mean Dice with them, and the mean IoU there."""
    mean = masks.mean(dim=0)
    truth = masks >= 0.5
    best = (0.5, -1.0, 0.0)
    for share in (_THRESHOLDS * float(mean.max())).tolist():
        drawn = mean >= share
        both = (truth & drawn).sum((1, 2)).float()
        total = truth.sum((1, 2)) + drawn.sum()
        dice = float((2 * both / total.clamp(min=1)).mean())
        if dice > best[1]:
            best = (share, dice, float((both / (total - both).clamp(min=1)).mean()))
    return mean, best[0], best[2]
