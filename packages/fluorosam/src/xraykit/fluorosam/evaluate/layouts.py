"""The cases of a set of X-rays in any of the layouts that are known."""

from __future__ import annotations

from pathlib import Path

from xraykit.render.commands import LeftOut

from .cases import CaseSource
from .file_cases import FluoroSegCases, LungCases
from .job_cases import JobCases
from .registered_cases import RegisteredCases
from .settings import CaseSettings


def open_cases(data: str | Path, settings: CaseSettings, *, left_out: LeftOut | None = None) -> CaseSource:
    """The cases.

    Args:
        data: Where they are.
        settings: In which layout, and how many.
        left_out: Takes what is damaged while the other cases are gone through; None ends at the first.

    Raises:
        FileError: They are not there, or files are missing or damaged. InputError: The layout needs more than was said.
    """
    if settings.layout == "job":
        return JobCases(data, split=settings.split, most=settings.images, left_out=left_out)
    if settings.layout == "fluoroseg":
        return FluoroSegCases(data, split=settings.split, most=settings.images, left_out=left_out)
    if settings.layout == "registered":
        return RegisteredCases(data, settings, left_out=left_out)
    return LungCases(data, settings.layout, most=settings.images, left_out=left_out)
