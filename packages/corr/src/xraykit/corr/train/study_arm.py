"""The arms of a comparison of classifiers: how views are joined, what the start is, and what guides the attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from xraykit.render import InputError

from ..network.classifier_config import StudyFusion

StudyStart = Literal["scratch", "pretrained", "permuted", "control", "pretext"]
"""scratch: random weights; pretrained: a matcher's; permuted: the same numbers, shuffled within each tensor; control:
those of a matcher that learned from shuffled truth; pretext: those of a network that learned something else."""
GuidanceKind = Literal["off", "predicted", "mean", "shuffled", "oracle"]
"""predicted: by a frozen matcher; mean: its mean over training studies; shuffled: of another study; oracle: true."""


@dataclass(frozen=True)
class StudyArm:
    """One way to build and start a classifier.

    Raises:
        InputError: A value that is none, or guidance without early fusion.
    """

    fusion: StudyFusion = "early"
    start: StudyStart = "scratch"
    guidance: GuidanceKind = "off"

    def __post_init__(self) -> None:
        for name, legal in {"fusion": StudyFusion, "start": StudyStart, "guidance": GuidanceKind}.items():
            if getattr(self, name) not in get_args(legal):
                raise InputError(f"{name} must be one of {', '.join(get_args(legal))}, got {getattr(self, name)!r}.")
        if self.guidance != "off" and self.fusion != "early":
            raise InputError(f"guidance needs --fusion early, where views see each other, got --fusion {self.fusion}.")

    @property
    def name(self) -> str:
        """For instance "early-pretrained-predicted"; "off" is not said."""
        parts = [self.fusion, self.start] + ([self.guidance] if self.guidance != "off" else [])
        return "-".join(parts)

    @classmethod
    def named(cls, name: str) -> StudyArm:
        """The arm of a name.

        Raises:
            InputError: There is none of that name.
        """
        parts = name.split("-")
        if len(parts) not in (2, 3):
            raise InputError(f"an arm must read FUSION-START or FUSION-START-GUIDANCE, got {name!r}.")
        return cls(*parts)  # type: ignore[arg-type]


def all_arms(*, pretrained: bool, control: bool, pretext: bool, truth: bool) -> tuple[StudyArm, ...]:
    """The full grid: each fusion with each start, and early fusion with each guidance.

    Args:
        pretrained: Whether there is a matcher to start from.
        control: Whether there is one that learned from shuffled truth.
        pretext: Whether there is one that learned something else.
        truth: Whether the true correspondence is known.
    """
    starts: list[StudyStart] = ["scratch"]
    kinds: list[GuidanceKind] = []
    if pretrained:
        starts.extend(("pretrained", "permuted"))
        kinds.append("predicted")
    if control:
        starts.append("control")
    if pretext:
        starts.append("pretext")
    if pretrained or truth:
        kinds.extend(("mean", "shuffled"))
    if truth:
        kinds.append("oracle")
    fusions: tuple[StudyFusion, ...] = get_args(StudyFusion)
    plain = [StudyArm(fusion, start) for fusion in fusions for start in starts]
    guided_starts = starts[: 2 if pretrained else 1]
    return (*plain, *(StudyArm("early", start, kind) for start in guided_starts for kind in kinds))
