"""Intervals by few draws, in tests of what stands around an interval and not of how far it reaches."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

DRAWS = 100  # the fewest that `bootstrap_interval` takes


def few_draws(*modules: ModuleType) -> Any:
    """A fixture of a module of tests: what these modules call `bootstrap_interval`, and their RESAMPLES, draw less."""

    @pytest.fixture(scope="module", autouse=True)
    def drawing() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for module in modules:
                if hasattr(module, "RESAMPLES"):
                    patch.setattr(module, "RESAMPLES", DRAWS)
                if hasattr(module, "bootstrap_interval"):
                    patch.setattr(module, "bootstrap_interval", _with_few(module.bootstrap_interval))
            yield

    return drawing


def _with_few(interval: Any) -> Any:
    return lambda *values, **options: interval(*values, **{**options, "resamples": DRAWS})
