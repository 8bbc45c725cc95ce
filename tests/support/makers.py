"""The scripts of docs/makers as modules."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from support.repo import ROOT

MAKERS = ROOT / "docs/makers"


def maker(name: str) -> ModuleType:
    """The script `docs/makers/NAME.py`, imported as it would be by its neighbours."""
    sys.path.insert(0, str(MAKERS))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(MAKERS))
