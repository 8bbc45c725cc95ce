"""Line integrals as .npy, read back without trusting the header."""

from __future__ import annotations

import io
from tokenize import TokenError

import numpy as np
import torch
from torch import Tensor

from ...errors import FileError


def decode_lines(content: bytes, name: str) -> Tensor:
    """The line integrals (1, H, W) float32 in a .npy file.

    Args:
        content: The file.
        name: Of the file, for messages.

    Raises:
        FileError: It is no .npy file of version 1.0 with one array (H, W) of float16 or float32.
    """
    file = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(file) != (1, 0):
            raise FileError(f"{name} must be a .npy file of version 1.0.")
        shape, fortran, kind = np.lib.format.read_array_header_1_0(file)
    except (ValueError, SyntaxError, TokenError) as error:  # the latter two from numpy's second look at old headers
        if isinstance(error, FileError):
            raise
        raise FileError(f"{name} must be a .npy file, got something else ({error}).") from error
    fits = kind.str in ("<f2", "<f4") and len(shape) == 2 and not fortran
    if not fits or file.tell() + kind.itemsize * shape[0] * shape[1] != len(content):
        raise FileError(f"{name} must be one (H, W) array of float16 or float32, got {kind} {shape}.")
    values = np.frombuffer(content, dtype=kind, offset=file.tell()).reshape(shape)
    return torch.from_numpy(values.astype(np.float32))[None]
