"""Whether a window could open here."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Whether a browser could open a window: never start one that takes the terminal."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
