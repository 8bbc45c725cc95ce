"""The one sentence about an optional package that is not installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import InputError


def require(module: str, *, extra: str, distribution: str = "xraykit-render") -> ModuleType:
    """Import an optional package, or say how to get it.

    Args:
        module: What to import, dotted.
        extra: The extra that brings it.
        distribution: Whose extra that is.

    Returns:
        The module.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # something that it needs itself
        raise InputError(
            f"this needs {module.partition('.')[0]}, which is not installed; "
            f"run: pip install '{distribution}[{extra}]'."
        ) from error
