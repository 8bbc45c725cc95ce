"""Line integrals as .npy, read back without trusting the header."""

from __future__ import annotations

import io

import numpy as np
import torch
from torch import Tensor

from ...errors import FileError
from ...storage.numpy_files import npy_header


def decode_lines(content: bytes, name: str) -> Tensor:
    """The line integrals (1, H, W) float32 in a .npy file.

    Args:
        content: The file.
        name: Of the file, for messages.

    Raises:
        FileError: It is no .npy file with one array (H, W) of float16 or float32.
    """
    file = io.BytesIO(content)
    head = npy_header(file, len(content), name=name)
    if head.dtype.str not in ("<f2", "<f4") or len(head.shape) != 2 or head.is_fortran:
        raise FileError(f"{name} must be one (H, W) array of float16 or float32, got {head.dtype} {head.shape}.")
    values = np.frombuffer(content, dtype=head.dtype, offset=file.tell()).reshape(head.shape)
    return torch.from_numpy(values.astype(np.float32))[None]
