"""What a classifier said of one study: the row that all scores are made from."""

from __future__ import annotations

from dataclasses import dataclass

from xraykit.render import InputError


@dataclass(frozen=True)
class StudyRow:
    """One study.

    Raises:
        InputError: A label other than 0 and 1, or a probability outside 0 to 1.
    """

    study: str
    patient: str
    split: str
    label: int
    probability: float
    """Of a finding"""
    view_probabilities: tuple[float, ...] = ()
    """Of each view alone, for a classifier of single views; `probability` is then that of the first"""

    def __post_init__(self) -> None:
        if self.label not in (0, 1) or not all(0 <= p <= 1 for p in (self.probability, *self.view_probabilities)):
            raise InputError(
                f"a row must have a label 0 or 1 and probabilities from 0 to 1, got {self.label} and "
                f"{self.probability} for {self.study}."
            )
