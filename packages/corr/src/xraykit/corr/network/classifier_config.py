"""What builds a classifier of studies: its matcher's config, how views are joined, and whether matches guide it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from xraykit.render import InputError

from .matcher_config import MatcherConfig

StudyFusion = Literal["single", "late", "early"]
"""single: one view; late: the mean of each view's logit; early: all views' tokens in one encoder."""


TokenPool = Literal["mean", "mean_max"]
"""mean: over all tokens, as in the paper; mean_max: that and each channel's greatest value, for small lesions."""


@dataclass(frozen=True)
class StudyClassifierConfig:
    """Trunk and encoder, the same as a matcher's, and what is done with several views.

    Raises:
        InputError: A value outside its range, or values that do not go together.
    """

    matcher: MatcherConfig = field(default_factory=MatcherConfig)
    """Trunk, tokens and encoder, module standard or none"""
    fusion: StudyFusion = "early"
    """How views are joined"""
    guided: bool = False
    """Whether correspondences bias the attention, early fusion only"""
    per_head: bool = False
    """A learned weight of the guidance for each head, else one a layer"""
    centred: bool = False
    """Subtract the row mean of the correspondences: guidance says where to look in a view, not how much at it"""

    pool: TokenPool = "mean"
    """What becomes of all tokens: their mean, or their mean and their greatest values"""

    def __post_init__(self) -> None:
        if self.pool not in get_args(TokenPool):
            raise InputError(f"pool must be one of {', '.join(get_args(TokenPool))}, got {self.pool!r}.")
        if self.fusion not in get_args(StudyFusion):
            raise InputError(f"fusion must be single, late or early, got {self.fusion!r}.")
        for name in ("guided", "per_head", "centred"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} must be true or false, got {getattr(self, name)!r}.")
        if self.matcher.module not in ("standard", "none"):
            raise InputError(
                f"a classifier must have module standard or none, got {self.matcher.module!r}; others need two views."
            )
        if self.guided and (self.fusion != "early" or self.matcher.module != "standard"):
            raise InputError(
                f"guidance needs early fusion and module standard, got fusion={self.fusion!r} and "
                f"module={self.matcher.module!r}."
            )
        if not self.guided and (self.per_head or self.centred):
            raise InputError("per_head and centred say how attention is guided, got guided=False; leave them out.")
