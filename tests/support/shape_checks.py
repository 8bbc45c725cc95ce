"""Execute the shape annotations of the packages: what a function took and gave must be what its signature says.

A function is run first and its arguments and result are checked afterwards. So its own sentence about a wrong shape
comes through, and a wrong shape that it took without a word is an error. `torch.compile` sees the bare function.
Most calls of a run have shapes that passed in an earlier one; these are not compared again.
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
    """Put `checked` functions in the place of those functions, methods and makers of named tuples that state shapes."""
    for owner in (module, *(value for value in vars(module).values() if inspect.isclass(value))):
        for name, value in list(vars(owner).items()):
            if getattr(owner, "__module__", module.__name__) != module.__name__:
                continue
            if inspect.isfunction(value) and value.__module__ == module.__name__ and states_shapes(value):
                setattr(owner, name, checked(value))
        if hasattr(owner, "_fields") and owner.__module__ == module.__name__ and states_shapes(owner):
            owner.__new__ = checked(owner.__new__, vars(module))


def states_shapes(owner: Any) -> bool:
    """Whether an annotation of a function or class names axes."""
    return any(SHAPED.search(_text(annotation)) for annotation in owner.__annotations__.values())


def checked(function: Callable, names: dict[str, Any] | None = None) -> Callable:
    """The function, its annotated shapes compared with what it took and gave after each call.

    Args:
        function: With annotations as text.
        names: What the annotations may speak of; None takes the globals of the function.

    Raises:
        jaxtyping.TypeCheckError: On a call whose argument or result has another shape or kind of numbers.
    """
    import torch  # here, so that tests which need no torch do not wait for it

    names = inspect.unwrap(function).__globals__ if names is None else names
    signature = inspect.signature(function)
    stated = function.__annotations__
    parameters = [p.replace(annotation=_shape(stated.get(p.name), names)) for p in signature.parameters.values()]
    given = threading.local()

    def echo(*args: Any, **kwargs: Any) -> Any:
        return given.result

    functools.update_wrapper(echo, function)
    del echo.__wrapped__
    result = _shape(stated.get("return"), names)
    echo.__signature__ = signature.replace(parameters=parameters, return_annotation=result)  # type: ignore[attr-defined]
    compare = jaxtyped(typechecker=beartype)(echo)
    shapes_of, passed = _shapes_of_calls(signature, stated), set()

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if torch.compiler.is_compiling():
            return result
        shapes = shapes_of(args, kwargs, result)
        if shapes in passed:
            return result
        given.result = result
        try:
            compare(*map(_taken, args), **{name: _taken(value) for name, value in kwargs.items()})
        finally:
            del given.result
        if shapes is not None:
            passed.add(shapes)
        return result

    return wrapper


def _shapes_of_calls(signature: inspect.Signature, stated: dict[str, Any]) -> Callable[..., tuple | None]:
    """What a comparison of a call rests upon: of each value that states axes, its shape and kind of numbers.

    None, if it rests on more: an axis may be named by the value of another argument (`{camera.width}`).
    """
    order = list(signature.parameters)
    shaped = {name for name, annotation in stated.items() if SHAPED.search(_text(annotation))}
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if any("{" in _text(stated[name]) for name in shaped) or any(
        parameter.kind in several for parameter in signature.parameters.values()
    ):
        return lambda args, kwargs, result: None

    def shapes(args: tuple, kwargs: dict[str, Any], result: Any) -> tuple | None:
        values = [*zip(order, args, strict=False), *kwargs.items(), ("return", result)]
        try:
            return tuple((name, _form(value)) for name, value in values if name in shaped)
        except TypeError:
            return None

    return shapes


def _form(value: Any) -> Any:
    """Shape and kind of numbers of an array; the type of another value, with those of its entries."""
    if hasattr(value, "dtype"):
        return type(value), tuple(value.shape), value.dtype
    if isinstance(value, tuple):
        return type(value), *map(_form, value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return type(value)
    raise TypeError("entries of other types are not looked through")


def _taken(value: Any) -> Any:
    """An array as the tensor that functions take it for."""
    from xraykit.render.geometry import tensor_of

    return tensor_of(value)


def _shape(annotation: Any, names: dict[str, Any]) -> Any:
    """The annotation if it names axes, else nothing: other types are the type checker's business."""
    text = _text(annotation)
    return eval(text, names) if SHAPED.search(text) else inspect.Parameter.empty


def _text(annotation: Any) -> str:
    """An annotation as written; named tuples wrap it."""
    return str(getattr(annotation, "__forward_arg__", annotation))
