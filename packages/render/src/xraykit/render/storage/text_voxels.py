"""Exactly the declared number of voxels from numbers written out, as NRRD's encoding "ascii" has them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .raw_voxels import check_memory

_LONGEST = 64  # bytes of a number and the blank beside it, on average


def text_voxels(
    path: Path, *, size: tuple[int, int, int], dtype: np.dtype, offset: int
) -> Callable[[], NDArray[np.generic]]:
    """Check that a file can hold the numbers its header declares, and give the function that reads them.

    Args:
        path: The file that holds them.
        size: Voxels along i, j, k, already checked.
        dtype: Of the voxels.
        offset: Bytes of the file before the first number.

    Returns:
        A function that reads the voxels [k, j, i]. It raises FileError where there are more numbers or fewer, something
        that is no number, or one that the type does not hold.

    Raises:
        FileError: The file is too short or too long for what is declared, or holds more than this machine's memory.
    """
    count = int(np.prod(size))
    check_memory(path, size, np.dtype(np.float64))
    held = path.stat().st_size - offset
    if not 2 * count - 1 <= held <= _LONGEST * count:
        raise FileError(
            f"{path} must hold {count} written numbers as its header declares, it holds {max(held, 0)} bytes of text; "
            "the file is cut short or its header is wrong."
        )

    def read() -> NDArray[np.generic]:
        with path.open("rb") as file:
            file.seek(offset)
            written = file.read()
        wide = np.float64 if dtype.kind == "f" else np.uint64 if dtype == np.uint64 else np.int64
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)  # of numbers that end early, before numpy 2.3
                values = np.fromstring(written, dtype=wide, sep=" ")
        except (ValueError, DeprecationWarning, OverflowError) as error:
            raise FileError(
                f"{path} must hold {dtype.name} numbers, it holds something else; save it again."
            ) from error
        if len(values) != count:
            raise FileError(f"{path} must hold {count} numbers as its header declares, it holds {len(values)}.")
        with np.errstate(over="ignore", invalid="ignore"):
            voxels = values.astype(dtype.newbyteorder("="))
        if dtype.kind != "f" and not np.array_equal(voxels, values):
            raise FileError(f"{path} must hold {dtype.name} numbers, some of its numbers are larger; save it again.")
        return voxels.reshape(size[::-1])

    return read
