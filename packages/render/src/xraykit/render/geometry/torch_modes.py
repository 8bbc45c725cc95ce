"""Mathematics that gives the same numbers whatever torch modes the caller is in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from .arrays import tensor_of

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def full_precision(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function, computed in the precision of its arguments inside `torch.autocast` too, and for numpy arrays.

    Arrays become tensors of their type, see `tensor_of`. Autocast makes every matrix product bfloat16 or float16: eight
    bits of a position in a room of a metre are 4 mm.
    """

    @wraps(function)
    def computed(*arguments: Given.args, **named: Given.kwargs) -> Returned:
        values, names = tuple(map(tensor_of, arguments)), {name: tensor_of(one) for name, one in named.items()}
        lowered = [kind for kind in ("cpu", "cuda") if torch.is_autocast_enabled(kind)]
        if not lowered:
            return function(*values, **names)
        with ExitStack() as modes:
            for kind in lowered:
                modes.enter_context(torch.autocast(kind, enabled=False))
            return function(*values, **names)

    return computed


def differentiating(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function, which differentiates inside, also in `torch.inference_mode`, in full precision.

    Tensors that were made in inference mode can take no part in a derivative: the function gets copies of them.
    """

    @full_precision
    @wraps(function)
    def computed(*arguments: Given.args, **named: Given.kwargs) -> Returned:
        with torch.inference_mode(False):
            values = tuple(_outside_inference(one) for one in arguments)
            return function(*values, **{name: _outside_inference(one) for name, one in named.items()})

    return computed


def _outside_inference(value: Any) -> Any:
    """The same value, with copies of the inference tensors in it."""
    if not _made_in_inference(value):
        return value
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _outside_inference(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(_outside_inference(one) for one in value)
    given = [field.name for field in fields(value) if field.init]
    return replace(value, **{name: _outside_inference(getattr(value, name)) for name in given})


def _made_in_inference(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.is_inference()
    if isinstance(value, dict):
        return any(map(_made_in_inference, value.values()))
    if type(value) in (tuple, list):
        return any(map(_made_in_inference, value))
    is_data = is_dataclass(value) and not isinstance(value, type)
    return is_data and any(_made_in_inference(getattr(value, field.name)) for field in fields(value) if field.init)
