"""Damaged .npy content, and .npz files that hold it."""

import io
import zipfile

import numpy as np


def npy(header: str, values: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """A .npy file with this text as its header."""
    text = header.encode("latin-1")
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(2 if version == (1, 0) else 4, "little") + text + values


CUT_HEADER = npy("{'descr': ('<f4', \n")
DECLARES_TOO_MUCH = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 4)}\n", bytes(16))


def whole_npy(array) -> bytes:
    """A .npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def write_damaged_npz(path, damaged, *whole) -> None:
    """A .npz file of one array with a header that is cut, and others that are whole: one number each."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{damaged}.npy", CUT_HEADER)
        for name in whole:
            archive.writestr(f"{name}.npy", whole_npy(np.zeros(1)))
