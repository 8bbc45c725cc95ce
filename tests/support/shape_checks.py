"""Execute the shape annotations of the packages: what a function took and gave must be what its signature says.

A function is run first and its arguments and result are checked afterwards. So its own sentence about a wrong shape
comes through, and a wrong shape that it took without a word is an error. `torch.compile` sees the bare function.
"""

from __future__ import annotations

import functools
import importlib.machinery
import inspect
import re
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import torch
from beartype import beartype
from jaxtyping import jaxtyped

SHAPED = re.compile(r"\b(Float|Int|Integer|Bool|Shaped)\[Tensor,")


class ShapeFinder:
    """Finds the modules of some packages as Python does, and checks the functions of each once it is loaded."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = tuple(packages)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """The usual spec with a loader that checks, for modules of the packages."""
        if not any(name == package or name.startswith(f"{package}.") for package in self.packages):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _CheckingLoader(spec.loader.name, spec.loader.path)
        return spec


class _CheckingLoader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        check_module(module)


def install(*packages: str) -> None:
    """Check every module of these packages that is imported from now on."""
    sys.meta_path.insert(0, ShapeFinder(packages))


def check_module(module: ModuleType) -> None:
    """Put `checked` functions in the place of those functions and methods of a module that state shapes."""
    for owner in (module, *(value for value in vars(module).values() if inspect.isclass(value))):
        for name, value in list(vars(owner).items()):
            if getattr(owner, "__module__", module.__name__) != module.__name__:
                continue
            if inspect.isfunction(value) and value.__module__ == module.__name__ and states_shapes(value):
                setattr(owner, name, checked(value))


def states_shapes(function: Callable) -> bool:
    """Whether an annotation of the function names axes."""
    return any(SHAPED.search(str(annotation)) for annotation in function.__annotations__.values())


def checked(function: Callable) -> Callable:
    """The function, its annotated shapes compared with what it took and gave after each call.

    Raises:
        jaxtyping.TypeCheckError: On a call whose argument or result has another shape or kind of numbers.
    """
    signature = inspect.signature(function)
    parameters = [p.replace(annotation=_shape(p.annotation, function)) for p in signature.parameters.values()]
    given = threading.local()

    def echo(*args: Any, **kwargs: Any) -> Any:
        return given.result

    functools.update_wrapper(echo, function)
    del echo.__wrapped__
    result = _shape(signature.return_annotation, function)
    echo.__signature__ = signature.replace(parameters=parameters, return_annotation=result)  # type: ignore[attr-defined]
    compare = jaxtyped(typechecker=beartype)(echo)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if torch.compiler.is_compiling():
            return result
        given.result = result
        try:
            return compare(*args, **kwargs)
        finally:
            del given.result

    return wrapper


def _shape(annotation: Any, function: Callable) -> Any:
    """The annotation if it names axes, else nothing: other types are the type checker's business."""
    if not isinstance(annotation, str):
        return inspect.Parameter.empty
    return eval(annotation, function.__globals__) if SHAPED.search(annotation) else inspect.Parameter.empty
