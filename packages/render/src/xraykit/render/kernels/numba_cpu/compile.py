"""How the kernels are compiled, once for all of them: no GIL, no Python errors, kept on disk between runs."""

from collections.abc import Callable
from typing import Any

from numba import njit

_FINITE = {"contract", "nnan", "ninf", "nsz"}


def _compiled(function: Callable, **options: Any) -> Any:
    try:
        return njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    except RuntimeError:  # no folder to keep it in, as in a read-only container without a home
        return njit(nogil=True, error_model="numpy", **options)(function)


def kernel(function: Callable) -> Any:
    """The function as a kernel."""
    return _compiled(function)


def relaxed_kernel(function: Callable) -> Any:
    """A kernel for loops that compute positions and weights of finite numbers, so that they vectorise."""
    return _compiled(function, fastmath=_FINITE)
