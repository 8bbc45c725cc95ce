"""Patients held out of a training set, by a draw that hangs on each patient's name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from xraykit.render import InputError


def carve_patients(patients: Iterable[str], share: float, *, seed: int = 0) -> frozenset[str]:
    """The patients to hold out: the nearest whole number to `share` of them, at least one of two or more.

    Who comes first is a hash of seed and name, so that one patient more or less moves hardly anybody else.

    Args:
        patients: Names; any of them may come more than once.
        share: From 0 (none) to below 1.
        seed: Of the draw.

    Raises:
        InputError: A share outside its range.
    """
    if not 0 <= share < 1:
        raise InputError(f"the share of patients to hold out must be 0 to below 1, got {share}.")
    ordered = sorted(set(patients), key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
    if share == 0 or len(ordered) < 2:
        return frozenset()
    return frozenset(ordered[: min(max(1, round(share * len(ordered))), len(ordered) - 1)])
