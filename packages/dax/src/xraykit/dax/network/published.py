"""Checkpoints of DAX and DINO and plain state dicts, read without running anything in them, every key counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .backbone import Backbone


def read_published(path: str | Path, **options: Any) -> Backbone:
    """The backbone in a published checkpoint."""
    raise NotImplementedError
