"""Heavy modules that the first test which uses them loads, so that collecting the tests costs nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest


class Later:
    """Stands for a module and loads it when a public attribute is asked for.

    pytest asks everything in a test module for private ones, such as `_mock_name`, when it collects the tests.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._load(), name)


def later(name: str, *, reason: str) -> Any:
    """The module, not loaded yet; skips the calling test module, for this reason, where it is not installed."""
    __tracebackhide__ = True
    installed(name.partition(".")[0], reason=reason)
    return Later(lambda: import_module(name))


def installed(name: str, *, reason: str) -> None:
    """Skip the calling test module, for this reason, where a top-level module is not installed; load nothing."""
    __tracebackhide__ = True  # the report names the module that is skipped
    if find_spec(name) is None:
        pytest.skip(reason, allow_module_level=True)
