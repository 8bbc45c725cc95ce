"""Every public type of the workspace, and a value of each, built from the hints of its fields."""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import enum
import inspect
import json
import math
import types
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from support.repo import ROOT

PLAIN: dict[Any, Any] = {
    str: "name",
    bool: True,
    int: 1,
    float: 1.0,
    bytes: b"x",
    object: "thing",
    Any: "thing",
    Path: Path("folder"),
    torch.Tensor: torch.ones(2, 2),
    torch.device: torch.device("cpu"),
    torch.dtype: torch.float32,
    np.ndarray: np.ones((2, 2)),
    type(None): None,
}


def public_types() -> Iterator[tuple[str, type]]:
    """Where it is defined, and the type; protocols are none of their own."""
    seen = set()
    surface = json.loads((ROOT / "tests/repo/api_surface.json").read_text(encoding="utf-8"))
    for table, names in surface.items():
        if find_spec(".".join(table.split(".")[:2])) is None:
            continue
        for name in names:
            thing = getattr(import_module(table), name)
            if inspect.isclass(thing) and thing not in seen and not getattr(thing, "_is_protocol", False):
                seen.add(thing)
                yield f"{thing.__module__}.{thing.__qualname__}", thing


def value_of(hint: Any, given: Mapping[type, Any]) -> Any:
    """A value of a type or a hint; `given` knows values of types whose fields are not free."""
    origin, of = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(hint, "array_type"):  # jaxtyping
        return torch.ones(_shape(hint.dim_str), dtype=_dtype(hint.dtypes))
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return value_of(of[0], given)
    if origin is typing.Literal:
        return of[0]
    if origin is tuple:
        return tuple(value_of(one, given) for one in (of[:1] if of[-1] is Ellipsis else of))
    if origin in (abc.Mapping, dict):
        return {value_of(of[0], given): value_of(of[1], given)}
    if origin in (abc.Sequence, list):
        return [value_of(of[0], given)]
    if origin in (frozenset, set):
        return origin([value_of(of[0], given)])
    if origin is abc.Callable:
        return len
    if isinstance(hint, typing.TypeVar):
        return "thing"
    return value_of_type(origin or hint, given)


def value_of_type(kind: Any, given: Mapping[type, Any]) -> Any:
    """A value of a class, as `value_of`."""
    if kind in given:
        return given[kind]
    if kind in PLAIN:
        return PLAIN[kind]
    if issubclass(kind, BaseException):
        return kind("a sentence.")
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind) if _is_asked(field)] if _is_data(kind) else []
    names = list(getattr(kind, "_fields", names))
    return kind(**{name: value_of(hints[name], given) for name in names})


def same(a: Any, b: Any) -> bool:
    """Whether two values are of one type and hold the same, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, abc.Mapping):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.nn.Module):
        return same(dict(a.state_dict()), dict(b.state_dict()))
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, BaseException):
        return str(a) == str(b)
    if _is_data(type(a)):
        return all(same(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a))
    if type(a).__eq__ is object.__eq__ and hasattr(a, "__dict__"):
        return same(vars(a), vars(b))
    return a == b


def _shape(stated: str) -> list[int]:
    """A shape as stated, "batch 4 4": 2 for each name, none for a name that stands for several."""
    names = [name.lstrip("#") for name in stated.split() if name[0] not in "*."]
    return [int(name) if name.isdigit() else 2 for name in names]


def _dtype(stated: Any) -> torch.dtype:
    """The first that is among the stated ones, which are a marker of the peer where any will do."""
    names = stated if isinstance(stated, list | tuple) else ["float32"]
    return next(kind for kind in (torch.float32, torch.bool, torch.int64, torch.uint8) if str(kind)[6:] in names)


def _is_data(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind)


def _is_asked(field: dataclasses.Field[Any]) -> bool:
    return field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
