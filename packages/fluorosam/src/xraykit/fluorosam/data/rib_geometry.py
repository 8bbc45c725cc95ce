"""Whether masks of ribs lie where their names say: each on its side of the body, and in the order of the levels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError

from ..vocabulary.fluoroseg_names import real_rib_name
from ..vocabulary.structures import mirrored_name

_RIB = re.compile(r"rib_(left|right)_(\d+)$")
_LEAST_APART = 0.1  # of the image's longer edge, between the two sides' centres
_MARGIN = 0.25  # of that distance, beyond the middle; ribs of oblique views cross it a little
_SLACK = 0.03  # of the longer edge, by which levels may be exchanged
_LEAST_LEVELS = 2  # between two ribs whose order is looked at


@dataclass(frozen=True)
class RibCheck:
    """What the geometry of an image says of its ribs' names.

    Args:
        sides: Ribs that lie among those of the other side.
        levels: Pairs of one side, at least two levels apart, in the wrong order.
        compared: Ribs whose side could be told; 0 in views from the side.
        pairs: Pairs that were looked at.
    """

    sides: tuple[str, ...] = ()
    levels: tuple[tuple[str, str], ...] = ()
    compared: int = 0
    pairs: int = 0

    @property
    def agrees(self) -> bool:
        """Whether nothing contradicts the names."""
        return not (self.sides or self.levels)

    @property
    def errors(self) -> float:
        """Share of what was looked at that contradicts the names."""
        return (len(self.sides) + len(self.levels)) / max(1, self.compared + self.pairs)


def check_rib_names(masks: Tensor, labels: Sequence[str]) -> RibCheck:
    """Whether the ribs of an image contradict their names.

    The direction from right to left is that between the centres of other structures with a side (lungs, collarbones,
    shoulder blades, hips, ...), or without any between the medians of left and right ribs. A rib is on the wrong side
    if its centre lies beyond the middle by a quarter of their distance. Levels go along the perpendicular, up or down
    as most pairs say. An image whose two sides lie on top of one another says nothing. Ribs cross the middle in steep
    oblique views, so a few contradictions there prove no wrong name.

    Args:
        masks: (A, H, W) bool.
        labels: Name of each.

    Raises:
        InputError: Another number of masks than of labels.
    """
    if len(masks) != len(labels):
        raise InputError(f"there must be one label for each of {len(masks)} masks, got {len(labels)}.")
    centres = {label: centre for label, centre in _centres(masks, labels).items() if _side(label)}
    ribs = {label: centre for label, centre in centres.items() if _RIB.match(label)}
    frame = _frame(centres, ribs, max(masks.shape[1:], default=1))
    if frame is None or not ribs:
        return RibCheck()
    middle, apart = frame
    across = apart / apart.norm()
    along = torch.stack([-across[1], across[0]])
    towards = {label: float((at - middle) @ across) for label, at in ribs.items()}
    beyond = _MARGIN * float(apart.norm())
    wrong = [label for label, at in towards.items() if (-at if _side(label) == "left" else at) > beyond]
    depth = {label: float(at @ along) for label, at in ribs.items()}
    ordered = [
        (first, second)
        for first in ribs
        for second in ribs
        if _side(first) == _side(second) and _level(second) - _level(first) >= _LEAST_LEVELS
    ]
    down = sum(1 if depth[first] < depth[second] else -1 for first, second in ordered)
    slack = _SLACK * max(masks.shape[1:])
    swapped = [pair for pair in ordered if (depth[pair[0]] - depth[pair[1]]) * (1 if down >= 0 else -1) > slack]
    return RibCheck(tuple(wrong), tuple(swapped), len(ribs), len(ordered))


def likely_rib_names(images: Sequence[tuple[Tensor, Sequence[str]]]) -> str:
    """Which naming fits the images better: "as named", "legacy" (see `RibNames`), or "unclear".

    Args:
        images: Masks (A, H, W) and labels of some.
    """
    named = [check_rib_names(masks, labels) for masks, labels in images]
    legacy = [check_rib_names(masks, [_renamed(label) for label in labels]) for masks, labels in images]
    seen = sum(one.compared for one in named)
    errors = [sum(len(one.sides) + len(one.levels) for one in checks) for checks in (named, legacy)]
    if not seen or errors[0] == errors[1]:
        return "unclear"
    return "as named" if errors[0] < errors[1] else "legacy"


def _renamed(label: str) -> str:
    return real_rib_name(label) if _RIB.match(label) else label


def _centres(masks: Tensor, labels: Sequence[str]) -> dict[str, Tensor]:
    """Centres (x, y) [px] of what is there."""
    found = {}
    for mask, label in zip(masks, labels, strict=True):
        places = mask.nonzero().double()
        if len(places):
            found[label] = places.mean(dim=0).flip(0) + 0.5
    return found


def _frame(centres: Mapping[str, Tensor], ribs: Mapping[str, Tensor], edge: int) -> tuple[Tensor, Tensor] | None:
    """The middle between the sides, and the vector from right to left; None where they are not apart."""
    others = {label: at for label, at in centres.items() if label not in ribs}
    twins = {label: at for label, at in others.items() if mirrored_name(label) in others}
    for group in (twins, ribs):
        sides = [[at for label, at in group.items() if _side(label) == side] for side in ("left", "right")]
        if not all(sides):
            continue
        left, right = (torch.stack(side).quantile(0.5, dim=0) for side in sides)
        apart = left - right
        if float(apart.norm()) < _LEAST_APART * edge:
            return None
        return (left + right) / 2, apart
    return None


def _side(label: str) -> str:
    words = label.split("_")
    return "left" if "left" in words else "right" if "right" in words else ""


def _level(label: str) -> int:
    found = _RIB.match(label)
    return int(found[2]) if found else 0
