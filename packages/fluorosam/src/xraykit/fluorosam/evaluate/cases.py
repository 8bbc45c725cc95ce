"""An X-ray with its true masks, whatever layout they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from xraykit.render.commands import LeftOut

from ..data.network_input import BoneTone

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class SegmentationCase:
    """One image and what is known to be in it.

    Args:
        name: Unique in the set.
        patient: Cases of one patient are no independent evidence.
        view: The radiographic view, or "unknown".
        image: (H, W) floating point grey values.
        bone: Whether bone is bright or dark in it.
        annotations: (A, H, W) bool.
        targets: Which annotations together are a target's mask, by name.
        absent: Targets that it surely does not show.
        spacing: Rows and columns [mm] on the detector, or None where nobody knows.
    """

    name: str
    patient: str
    view: str
    image: Tensor
    bone: BoneTone
    annotations: Tensor
    targets: Mapping[str, tuple[int, ...]]
    absent: tuple[str, ...] = ()
    spacing: tuple[float, float] | None = None

    def mask(self, target: str) -> Tensor:
        """The mask of a target, (H, W) bool."""
        return self.annotations[list(self.targets[target])].any(dim=0)

    def areas(self) -> dict[str, float]:
        """Each target's share of the image."""
        return {name: float(self.mask(name).float().mean()) for name in self.targets}


class CaseSource(Protocol):
    """Cases of a set, in an order that is always the same."""

    @property
    def notes(self) -> Sequence[str]:
        """What was assumed of their files so far, and what is doubtful."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[SegmentationCase]: ...


def readable(numbers: Iterable[int], read: Callable[[int], T], left_out: LeftOut | None) -> Iterator[T]:
    """What `read` gives for each number; those that cannot be read are left out, or (None) end it."""
    return (left_out or LeftOut(none=True)).kept(numbers, read, name=lambda number: f"image {number}")


def evenly(count: int, most: int) -> list[int]:
    """At most so many of the numbers below `count`, evenly spread; 0 is all."""
    if not 0 < most < count:
        return list(range(count))
    return torch.linspace(0, count - 1, most).round().long().unique().tolist()
