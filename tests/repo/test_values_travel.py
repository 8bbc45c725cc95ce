"""A value of every public type is pickled, deep-copied, saved, and handed to processes that start anew."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from support.public_types import public_types, same, value_of_type
from support.public_values import AT_WORK, known_values
from torch import multiprocessing

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "torch.save": lambda value: _saved_and_loaded(value),
}


@cache
def values() -> dict[str, Any]:
    """A value of every public type that is one."""
    known = known_values()
    at_work = {name for names in AT_WORK.values() for name in names.split()}
    return {place: value_of_type(kind, known) for place, kind in public_types() if kind.__name__ not in at_work}


def test_types_at_work_exist():
    names = [name for names in AT_WORK.values() for name in names.split()]
    known = {kind.__name__ for _, kind in public_types()}
    assert set(names) <= known
    assert len(values()) > 0.85 * len(known)


@pytest.mark.parametrize("way", WAYS)
def test_a_value_of_every_public_type_comes_back_the_same(way):
    lost = []
    for place, value in values().items():
        try:
            back = WAYS[way](value)
        except (TypeError, AttributeError, RuntimeError, pickle.PicklingError) as error:
            lost.append(f"{place}: {type(error).__name__}: {error}")
        else:
            lost += [] if same(value, back) else [f"{place}: another value"]
    assert lost == []


@pytest.mark.slow  # the other process imports everything
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_value_of_every_public_type_reaches_a_process_that_starts_anew(method):
    """They are sent there and back, and are the same still."""
    context = multiprocessing.get_context(method)
    here, there = context.Pipe()
    process = context.Process(target=_echo, args=(there,))
    process.start()
    here.send(values())
    assert here.poll(120)
    back = here.recv()
    here.send("received")
    process.join(60)
    assert process.exitcode == 0
    assert [place for place, value in values().items() if not same(value, back[place])] == []


def _saved_and_loaded(value: Any) -> Any:
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


def _echo(pipe: Any) -> None:
    pipe.send(pipe.recv())
    pipe.recv()  # memory of tensors is handed over while both live
