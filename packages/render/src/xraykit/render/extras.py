"""Optional packages: imported where they are needed, or missed in one sentence that says how to get them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import BackendUnavailableError


def require(module: str, *, extra: str, distribution: str = "xraykit-render", what: str = "this") -> ModuleType:
    """An optional module, imported.

    Args:
        module: Its name, dotted for a module inside a package.
        extra: The extra that brings it.
        distribution: Whose extra that is.
        what: Who needs it, the subject of the message, in the singular: "a figure", "--seg".

    Raises:
        BackendUnavailableError: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise  # something that it needs itself
        raise missing(module, extra=extra, distribution=distribution, what=what) from error


def missing(
    module: str, *, extra: str, distribution: str = "xraykit-render", what: str = "this"
) -> BackendUnavailableError:
    """The error that says which package is missing and which extra brings it; arguments as for `require`."""
    package = module.partition(".")[0]
    return BackendUnavailableError(
        f"{what} needs {package}, which is not installed; run: pip install '{distribution}[{extra}]'."
    )
