"""How the kernels are compiled, once for all of them: no GIL, no Python errors, kept on disk between runs."""

from typing import Any

from numba import njit

kernel: Any = njit(nogil=True, cache=True, error_model="numpy")

# For loops that compute positions and weights of finite numbers, so that they vectorise.
relaxed_kernel: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nnan", "ninf", "nsz"})
