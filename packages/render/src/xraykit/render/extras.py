"""Packages that an extra brings: imported where they are needed, or missed in a sentence."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import InputError


def require(module: str, *, extra: str, distribution: str = "xraykit-render") -> ModuleType:
    """The module of an optional package.

    Args:
        module: Name to import.
        extra: The extra that asks for it.
        distribution: Whose extra.

    Raises:
        InputError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"this needs {module}, which is not installed; run: pip install '{distribution}[{extra}]'."
        ) from error
