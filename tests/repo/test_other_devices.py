"""Tensors of another device stay there: nothing of the mathematics is made on the CPU beside them.

The other device is torch's meta device, on which no values are: what asks for one (to refuse a bad pose, say) is told
that it is as it should be.
"""

from __future__ import annotations

from functools import wraps
from inspect import signature
from types import FunctionType
from typing import Any

import torch
from support.moded_calls import geometry_calls
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from xraykit.render import geometry

ASKED = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.is_nonzero.default)
NEED_VALUES = {
    "affine_from_itk": "takes plain numbers",
    "affine_to_itk": "gives plain numbers",
    "camera_doubts": "says of a camera what its values are",
    "camera_from_intrinsic": "gives a camera of plain numbers",
    "check_pose": "says of a pose what its values are",
}
"""What cannot be followed without values, and why; converters give plain numbers for other programs, all of them."""


class Answering(TorchDispatchMode):
    """Questions for a value of a meta tensor are answered."""

    def __init__(self, answer: bool) -> None:
        super().__init__()
        self.answer = answer

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func in ASKED and args[0].device.type == "meta":
            return self.answer if args[0].dtype == torch.bool else 1
        return func(*args, **(kwargs or {}))


def elsewhere(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("meta")
    return type(value)(map(elsewhere, value)) if type(value) in (list, tuple) else value


def moved(function: FunctionType) -> Any:
    where = {"device": "meta"} if "device" in signature(function).parameters else {}

    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        named = {**where, **named}
        return function(*map(elsewhere, arguments), **{name: elsewhere(one) for name, one in named.items()})

    return called


def shapes(value: Any) -> Any:
    """Shape and type of every tensor in an answer."""
    if isinstance(value, Tensor):
        return tuple(value.shape), value.dtype
    return [shapes(one) for one in value] if isinstance(value, tuple | list) else type(value)


def devices(value: Any) -> set[str]:
    if isinstance(value, Tensor):
        return {value.device.type}
    return set().union(*map(devices, value)) if isinstance(value, tuple | list) else set()


def test_answers_lie_where_the_arguments_do(monkeypatch):
    made = {name: call for name, call in geometry_calls().items() if name not in NEED_VALUES}
    wanted = {name: shapes(call()) for name, call in made.items()}
    for name in geometry.__all__:
        if isinstance(function := getattr(geometry, name), FunctionType):
            monkeypatch.setattr(geometry, name, moved(function))
    wrong = {}
    for name, call in made.items():
        try:
            with Answering(True):
                answer = call()
        except (TypeError, ValueError, RuntimeError) as error:  # NotImplementedError is a RuntimeError
            wrong[name] = f"{type(error).__name__}: {str(error)[:200]}"
            continue
        if shapes(answer) != wanted[name] or devices(answer) - {"meta"}:
            wrong[name] = f"{devices(answer)} {shapes(answer)}"
    assert wrong == {}
