"""The name of a DICOM series that may be kept: it finds the series again, and identifies nobody."""

from __future__ import annotations

import hashlib

PREFIX, DIGITS = "sha256:", 32


def kept_series(series: str) -> str:
    """What a record says of a choice of series: a number and a digest as they are, of a UID "sha256:" and its digest.

    Args:
        series: A number in a list, a SeriesInstanceUID or its digest.
    """
    if series.isdecimal() or series.startswith(PREFIX):
        return series
    return PREFIX + hashlib.sha256(series.encode()).hexdigest()[:DIGITS]


def is_series(uid: str, series: str) -> bool:
    """Whether a UID or digest chooses the series of this UID."""
    return uid == series or kept_series(uid) == series
