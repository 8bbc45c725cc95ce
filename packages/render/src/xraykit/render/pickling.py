"""Read-only mappings travel: Python has no rule of its own for pickling, deep-copying or saving them."""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def read_only(items: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The same items, not to be changed through what is returned."""
    return MappingProxyType(items)


def _reduced(mapping: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return read_only, (dict(mapping),)


copyreg.pickle(MappingProxyType, _reduced)
