"""Numpy arrays where tensors are meant: taken as tensors of the same type."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..errors import InputError


def tensor_of(value: Any) -> Any:
    """A numpy array as a tensor of its type on the CPU, and arrays in lists and tuples too; all else as it is.

    The tensor shares the array's memory where torch can: writable, native byte order, no negative steps.

    Raises:
        InputError: The array holds no numbers.
    """
    if isinstance(value, np.ndarray):
        return _converted(value)
    if type(value) in (list, tuple) and any(isinstance(one, np.ndarray) for one in value):
        return type(value)(tensor_of(one) for one in value)
    return value


def _converted(array: np.ndarray) -> torch.Tensor:
    if array.dtype.kind not in "biufc":
        raise InputError(f"an array must hold numbers, got {array.dtype} of shape {array.shape}; convert it first.")
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.itemsize > 8 and array.dtype.kind == "f":
        native = native.astype(np.float64)  # torch has no longer numbers
    if not native.flags.writeable or any(step < 0 for step in native.strides):
        native = native.copy()
    return torch.from_numpy(native)
