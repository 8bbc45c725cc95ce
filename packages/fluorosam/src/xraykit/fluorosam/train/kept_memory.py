"""Memory that a training gives back is kept for its next step."""

from __future__ import annotations

import ctypes
import sys

_TRIM, _MOST_MAPPED = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h
_NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Let this process keep what it frees; whether that could be arranged, which takes Linux with glibc.

    A step on a CPU frees gigabytes in large pieces, which glibc returns to the system one by one; getting them again,
    page by page, is a fifth of the step.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MOST_MAPPED, 0)) and bool(mallopt(_TRIM, _NEVER))
