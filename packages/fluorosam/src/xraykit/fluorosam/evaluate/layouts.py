"""The cases of a set of X-rays in any of the layouts that are known."""

from __future__ import annotations

from pathlib import Path

from .cases import CaseSource
from .job_cases import JobCases
from .settings import CaseSettings


def open_cases(data: str | Path, settings: CaseSettings) -> CaseSource:
    """The cases.

    Args:
        data: Where they are.
        settings: In which layout, and how many.

    Raises:
        FileError: They are not there, or files are missing or damaged. InputError: The layout needs more than was said.
    """
    return JobCases(data, split=settings.split, most=settings.images)
