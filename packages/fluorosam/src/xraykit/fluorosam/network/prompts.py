"""What is asked of images: words, points, boxes and masks in any combination, many at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

POSITIVE = 1
"""Label of a point inside what is asked for."""
NEGATIVE = 0
"""Label of a point outside of it."""
PADDING = -1
"""Label of SAM's padding point, a token that says "no point"."""
ABSENT = -2
"""Label of a place in a batch where there is nothing at all."""


@dataclass(frozen=True)
class PromptBatch:
    """P prompts for each of B images; None is a kind that no prompt has.

    Coordinates are pixels of the square input, x right and y down; the centre of the first pixel is (0.5, 0.5).

    Args:
        text: (B, P, D) features of a text encoder.
        has_text: (B, P) bool, which prompts have words; None is all where there is `text`.
        points: (B, P, N, 2).
        point_labels: (B, P, N) whole numbers: POSITIVE, NEGATIVE, PADDING or ABSENT.
        boxes: (B, P, 4), left, top, right, bottom.
        has_box: (B, P) bool; None is all where there are `boxes`.
        masks: (B, P, 4 G, 4 G) logits, such as an earlier answer made smaller.
        has_mask: (B, P) bool; None is all where there are `masks`.

    Raises:
        InputError: Shapes that do not go together, unknown labels, or nothing at all.
    """

    text: Tensor | None = None
    has_text: Tensor | None = None
    points: Tensor | None = None
    point_labels: Tensor | None = None
    boxes: Tensor | None = None
    has_box: Tensor | None = None
    masks: Tensor | None = None
    has_mask: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.points is None) != (self.point_labels is None):
            raise InputError("points and point_labels must come together, got one of them.")
        given = {name: value for name in _AXES if (value := getattr(self, name)) is not None}
        if not {"text", "points", "boxes", "masks"} & given.keys():
            raise InputError("a prompt must have text, points, boxes or masks, got none.")
        first = next(iter(given))
        for name, value in given.items():
            size, last = _AXES[name]
            if value.ndim != size or (last and value.shape[-1] != last) or value.shape[:2] != given[first].shape[:2]:
                raise InputError(
                    f"prompts must share images and prompts (B, P, ...) with {size} axes for {name}, got {name} "
                    f"{tuple(value.shape)} beside {first} {tuple(given[first].shape)}."
                )
            of = name.replace("has_", "").replace("box", "boxes").replace("mask", "masks")
            if name.startswith("has_") and (of not in given or value.dtype != torch.bool):
                raise InputError(f"{name} must be bool and come with {of}, got {value.dtype}.")
        self._check_points()

    def _check_points(self) -> None:
        if self.points is None or self.point_labels is None:
            return
        labels = self.point_labels
        if labels.shape != self.points.shape[:3] or labels.is_floating_point():
            raise InputError(
                f"point_labels must be whole numbers (B, P, N) as points are (B, P, N, 2), got {tuple(labels.shape)} "
                f"{labels.dtype}."
            )
        known = (labels >= ABSENT) & (labels <= POSITIVE)
        if not bool(known.all()):
            raise InputError(f"point_labels must be 1, 0, -1 or -2, got {int(labels[~known][0])}.")

    @property
    def shape(self) -> tuple[int, int]:
        """B and P."""
        first = next(value for field in fields(self) if (value := getattr(self, field.name)) is not None)
        return first.shape[0], first.shape[1]

    def to(self, device: torch.device | str) -> PromptBatch:
        """The same on a device."""
        return replace(self, **{name: value.to(device) for name, value in self._given().items()})

    def slice(self, start: int, stop: int) -> PromptBatch:
        """Prompts `start` to `stop` of each image."""
        return replace(self, **{name: value[:, start:stop] for name, value in self._given().items()})

    def _given(self) -> dict[str, Tensor]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


# Axes, and length of the last one where it is known.
_AXES: dict[str, tuple[int, int]] = {
    "text": (3, 0), "points": (4, 2), "boxes": (3, 4), "masks": (4, 0), "point_labels": (3, 0), "has_text": (2, 0),
    "has_box": (2, 0), "has_mask": (2, 0),
}  # fmt: skip


def mask_prompts(logits: Tensor) -> Tensor:
    """Predicted masks (B, P, 8 G, 8 G) as mask prompts (B, P, 4 G, 4 G): means of 2 x 2 pixels, with gradients."""
    return F.avg_pool2d(logits, 2)
