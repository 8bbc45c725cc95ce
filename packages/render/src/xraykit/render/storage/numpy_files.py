"""Arrays as .npy and .npz, read back without trusting what their headers declare."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..errors import FileError
from .brief import brief

ALWAYS_ALLOWED, MOST_INFLATION = 1 << 30, 200
"""Bytes of one array in a .npz file, unpacked; beyond the first, what a packed byte may stand for."""
_HEADER_DAMAGE = (
    *(ValueError, SyntaxError, TokenError, TypeError, LookupError, OverflowError),  # numpy has two parsers of headers
    *(RecursionError, MemoryError),  # of Python's own parser, for nested brackets and signs
)
_ARCHIVE_DAMAGE = (
    *(OSError, EOFError, ValueError, LookupError, RuntimeError, OverflowError),  # RuntimeError: it is encrypted
    *(struct.error, zlib.error, zipfile.BadZipFile),
)
_VERSIONS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class NpyHeader(NamedTuple):
    """What the header of a .npy file declares, whose bytes are all there."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype

    def reshaped(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values in the order of the file, in their shape."""
        return values.reshape(self.shape, order="F" if self.is_fortran else "C")


def npy_header(file: BinaryIO, size: int, *, name: str) -> NpyHeader:
    """The header of a .npy file, read up to where its values begin.

    Args:
        file: At its beginning.
        size: Bytes of the whole file.
        name: Of the file, for messages.

    Raises:
        FileError: It is no .npy file, of Python's objects, or not of the size that it declares.
    """
    try:
        shape, is_fortran, dtype = _VERSIONS[npy.read_magic(file)](file)
    except _HEADER_DAMAGE as error:
        raise FileError(f"{name} must be a .npy file, got something else ({brief(error)}).") from error
    if dtype.hasobject or not dtype.itemsize or min(shape, default=1) < 0:
        raise FileError(f"{name} must be a .npy file of plain values, got {brief(dtype)} {brief(shape)}.")
    declared, held = dtype.itemsize * prod(shape), size - file.tell()
    if declared != held:
        raise FileError(f"{name} must be a .npy file with the {declared} bytes of values that it declares, got {held}.")
    return NpyHeader(shape, is_fortran, dtype)


def read_npy(path: Path, *, what: str, remedy: str, is_mapped: bool = False) -> NDArray[Any]:
    """The array of a .npy file.

    Args:
        path: The file.
        what: What it must hold, for messages.
        remedy: What to do if it is not.
        is_mapped: Leave the values in the file, read-only, until they are asked for.

    Raises:
        FileError: No such file, or a damaged one.
    """
    with _told(path, what, remedy), path.open("rb") as file:
        head = npy_header(file, path.stat().st_size, name="the file")
        if is_mapped:
            order = "F" if head.is_fortran else "C"
            return np.memmap(path, head.dtype, mode="r", offset=file.tell(), shape=head.shape, order=order)
        return head.reshaped(np.fromfile(file, head.dtype, prod(head.shape)))


class NpzArrays(Mapping[str, NDArray[Any]]):
    """The arrays of an open .npz file by name, each read when it is asked for.

    Args:
        archive: The open file.
        path: The file.
        what: What it must hold, for messages.
        remedy: What to do if it is not.
    """

    def __init__(self, archive: zipfile.ZipFile, path: Path, what: str, remedy: str) -> None:
        self._archive, self._told = archive, (path, what, remedy)
        self._members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        """An array; FileError where there is none of the name, it is damaged, or it unpacks to too much."""
        with _told(*self._told):
            entry = self._members.get(name)
            if entry is None:
                raise FileError(f"a .npz file without {brief(name)}.")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileError(f"{brief(name)} packed in a way that numpy does not write.")
            if entry.file_size > max(ALWAYS_ALLOWED, MOST_INFLATION * entry.compress_size):
                raise FileError(f"{entry.file_size} bytes of {brief(name)} in {entry.compress_size} packed ones.")
            content = self._archive.read(entry)
            file = io.BytesIO(content)
            head = npy_header(file, len(content), name=brief(name))
            return head.reshaped(np.frombuffer(content, head.dtype, prod(head.shape), file.tell()).copy())

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


@contextmanager
def open_npz(path: Path, *, what: str, remedy: str) -> Iterator[NpzArrays]:
    """Open a .npz file, for the length of a with statement.

    Args:
        path: The file.
        what: What it must hold, for messages.
        remedy: What to do if it is not.

    Raises:
        FileError: No such file, or a damaged one.
    """
    with _told(path, what, remedy):
        archive = zipfile.ZipFile(path)
    with archive:
        yield NpzArrays(archive, path, what, remedy)


@contextmanager
def _told(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Damage as one sentence; our own sentences are its reason."""
    try:
        yield
    except _ARCHIVE_DAMAGE as error:
        raise FileError(f"{path} must hold {what}, got {brief(error).rstrip('.')}; {remedy}.") from error
