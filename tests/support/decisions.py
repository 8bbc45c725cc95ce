"""Which way a computation went: every comparison, rounding, order and choice of a larger number in it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_ANSWERS = ("eq", "ne", "lt", "le", "gt", "ge", "floor", "ceil", "argsort")


class _Recorder(TorchFunctionMode):
    """Keeps what decides between branches. Rounding lengths to 2e-13 mm is arithmetic; |x| occurs in checks only."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions: list[Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", "").strip("_")
        if name in _ANSWERS:
            self.decisions.append(out.clone())
        elif name in ("minimum", "maximum"):
            self.decisions.append(args[0] < args[1])
        elif name in ("amin", "amax"):
            self.decisions.append(args[0] == out.unsqueeze(kwargs["dim"]))
        elif name == "clamp":
            self.decisions.append(out != args[0])
        return out


def decisions_of(function: Callable[[], Tensor]) -> tuple[Tensor, list[Tensor]]:
    """What `function` returns, and its decisions in order: equal lists mean one and the same smooth branch."""
    with torch.no_grad(), _Recorder() as recorder:
        result = function()
    return result, recorder.decisions


def same_decisions(first: list[Tensor], second: list[Tensor]) -> bool:
    """Whether two runs went the same way throughout."""
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
