"""Which candidates go on to the next scale: the best that the last one made, and starts that it may have spoilt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .motion import Motion
from .objective import WEIGHTS, Evaluation, Objective
from .pose_distance import distinct, mean_distance, seen_points

APART, REACH = 2.0, 100.0  # mm: candidates nearer than that are one, as points at that distance from the pivots tell
ALIKE = 0.8  # correlations, edges counting half, that no pose has by chance: it needs no rival
STANDING = 0.5  # of the best candidate's similarity: an unmoved start that has less is hopeless


@dataclass(frozen=True, eq=False)
class Contenders:
    """The candidates of one scale.

    Args:
        motion: Where they are, B of them.
        lines: The line of each, (B,): start s that entered at stage t is line s + t * starts; an unmoved start begins a
            new one.
        at: What the objective of this scale says of them, where that is known.
    """

    motion: Motion
    lines: Tensor
    at: Evaluation | None = None

    @classmethod
    def all_of(cls, given: Motion) -> Contenders:
        """Every start, as it was given."""
        return cls(given, torch.arange(len(given)))

    def under(self, ceilings: float | Tensor) -> Contenders:
        """The same with scatter of these ceilings in every view, or of one in each."""
        return Contenders(replace(self.motion, ceilings=torch.ones_like(self.motion.ceilings) * ceilings), self.lines)

    def most_alike(self, choices: Sequence[Objective]) -> tuple[Objective, Contenders]:
        """Which objective (they differ in targets alone) the best of them does best by; the same with what it says."""
        at = choices[0].compared(self.motion, choices[1:])
        n = max(range(len(at)), key=lambda n: float(at[n].value.max()))
        return choices[n], replace(self, at=at[n])

    @property
    def known(self) -> Evaluation:
        """What the objective that was found most alike says of them."""
        assert self.at is not None  # noqa: S101 - `most_alike` comes first
        return self.at

    def correlation(self) -> float:
        """Of the best, edges counting half."""
        return float(self.known.terms[int(self.known.value.argmax())] @ self.known.terms.new_tensor(WEIGHTS))

    def best(self, value: Tensor, most: int) -> Contenders:
        """The best `most` that differ, by their similarities (B,)."""
        kept = best_distinct(self.motion, value)[:most]
        return Contenders(self.motion[kept], self.lines[kept])

    def joined_by(self, unmoved: Contenders, objective: Objective, stage: int, starts: int) -> Contenders:
        """Also the start that is most alike as it was given, if it has a chance at this scale.

        Coarse pixels can lead a start that was right away from the truth, most easily where the structures are only a
        part of what the X-ray shows; there it is as it was given that the start is more alike. It comes along if it
        has at least half of the best candidate's similarity and differs from all.

        Args:
            unmoved: Starts as they were given.
            objective: Of this scale.
            stage: Its number.
            starts: How many starts there are in all.
        """
        at, own = self.known, self.known.value
        if self.correlation() > ALIKE:
            return self
        rivals = objective.evaluate(unmoved.motion)
        best = int(rivals.value.argmax())
        candidates = self.motion.with_more(unmoved.motion[best : best + 1])
        is_new = len(best_distinct(candidates, -torch.arange(len(own) + 1.0))) > len(own)
        if not is_new or float(rivals.value[best]) < STANDING * float(own.max()):
            return self
        lines = torch.cat([self.lines, unmoved.lines[best : best + 1] + stage * starts])
        both = (torch.cat([one, rival[best : best + 1]]) for one, rival in zip(at, rivals, strict=True))
        return Contenders(candidates, lines, Evaluation(*both))


def best_distinct(motion: Motion, value: Tensor) -> Tensor:
    """The candidates by falling value, without those that ended where a better one did.

    Two are the same if points up to `REACH` from each pivot are seen at most `APART` from each other on average.
    """
    offsets = REACH * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    points = motion.pivots[:, None] + offsets
    order = value.argsort(descending=True)
    seen = seen_points(motion.poses, points[:, None]).flatten(1, 3)
    return order[distinct(seen[order], APART, mean_distance)]
