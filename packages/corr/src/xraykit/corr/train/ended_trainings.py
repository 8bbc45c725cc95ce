"""Trainings of a grid that ended before their scores were written: what is left is to score them, silently."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def may_have_ended() -> Iterator[None]:
    """A block in which going on with a training that had ended is no cause for a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*this training had ended after")
        yield
