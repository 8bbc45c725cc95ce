"""HDF5 files from elsewhere, read with suspicion: no links out of the file, no foreign types, no surprise sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render import FileError
from xraykit.render.extras import require
from xraykit.render.storage import kind_at

LARGEST = 1 << 30  # bytes of one array in memory
PACKING, ALWAYS_ALLOWED = 1100, 1 << 24  # bytes that a stored one may stand for (deflate's limit is 1032), and any may
_DAMAGE = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError)
"""What h5py raises on damaged bytes: it documents none of them; changed files show these."""


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[H5Group]:
    """The root of an HDF5 file, open for reading.

    Raises:
        FileError: Missing, or no HDF5 file. BackendUnavailableError: h5py is not installed.
    """
    h5py = require("h5py", extra="evaluate", distribution="xraykit-xvr", what="an HDF5 data set")
    path = Path(path)
    if kind_at(path) != "file":
        raise FileError(f"{path} must be an HDF5 file, there is no file by that name.")
    try:
        file = h5py.File(path, "r")
    except _DAMAGE as error:
        raise FileError(f"{path} must be an HDF5 file, got another or a damaged one; get it again.") from error
    with file:
        yield H5Group(file, str(path))


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """Turn whatever h5py raises inside the block into one sentence about the place."""
    try:
        yield
    except FileError:
        raise
    except _DAMAGE as error:
        raise FileError(
            f"{place} cannot be read, its HDF5 structure is damaged ({str(error)[:80]}); get the file again."
        ) from error


class H5Group:
    """A group whose members are read only after they were found to be plain.

    Args:
        group: The h5py group.
        place: Its name for messages.
    """

    def __init__(self, group: Any, place: str) -> None:
        self._group, self.place = group, place

    def __contains__(self, path: str) -> bool:
        with _reading(self._place(path)):
            return path in self._group

    @property
    def names(self) -> tuple[str, ...]:
        """Members, sorted.

        Raises:
            FileError: The list of them is damaged.
        """
        with _reading(self.place):
            return tuple(sorted(self._group))

    def group(self, path: str) -> H5Group:
        """A group below."""
        import h5py

        found = self._member(path)
        if not isinstance(found, h5py.Group):
            raise FileError(f"{self._place(path)} must be a group, got an array.")
        return H5Group(found, self._place(path))

    def array(self, path: str, *shape: int | None) -> NDArray[Any]:
        """A numeric array; `shape` as far as it is known (None is any length), vectors also as one row or column.

        Raises:
            FileError: Missing, of another type or shape, not finite, or too large.
        """
        values = self._read(path)
        if values.dtype.kind not in "iufb":
            raise FileError(f"{self._place(path)} must be numbers, got type {values.dtype}.")
        if len(shape) == 1 and values.ndim == 2 and 1 in values.shape:
            values = values.reshape(-1)
        if len(shape) != values.ndim or any(n not in (None, m) for n, m in zip(shape, values.shape, strict=True)):
            wanted = tuple("any" if n is None else n for n in shape)
            raise FileError(f"{self._place(path)} must have shape {wanted}, got {values.shape}.")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise FileError(f"{self._place(path)} must be finite, got NaN or infinity.")
        return values

    def number(self, path: str) -> float:
        """One finite number, also where it is stored as an array of one."""
        values = self._read(path)
        if values.size != 1 or values.dtype.kind not in "iufb" or not np.isfinite(values).all():
            raise FileError(f"{self._place(path)} must be one finite number, got {values.dtype} {values.shape}.")
        return float(values.reshape(()))

    def text(self, path: str) -> str:
        """One text."""
        value = self._member(path)
        found = self._read(path).reshape(-1)
        if found.size != 1 or not isinstance(found[0], bytes | str):
            raise FileError(f"{self._place(path)} must be a text, got {getattr(value, 'dtype', 'a group')}.")
        return found[0].decode("utf-8", "replace") if isinstance(found[0], bytes) else str(found[0])

    def _read(self, path: str) -> NDArray[Any]:
        import h5py

        found, place = self._member(path), self._place(path)
        if not isinstance(found, h5py.Dataset):
            raise FileError(f"{place} must be an array, got a group.")
        with _reading(place):
            if found.external or found.is_virtual:
                raise FileError(f"{place} must lie in this file, got an array kept in another one.")
            stored = found.id.get_storage_size()
            if found.nbytes > min(LARGEST, max(PACKING * stored, ALWAYS_ALLOWED)):
                raise FileError(
                    f"{place} must be at most {LARGEST} bytes, it declares {found.nbytes} in {stored} stored ones."
                )
            return np.asarray(found[()])

    def _member(self, path: str) -> Any:
        """What is at `path`, every link on the way being a plain one."""
        import h5py

        node, place = self._group, self._place(path)
        with _reading(place):
            for part in path.split("/"):
                if not isinstance(node, h5py.Group) or node.get(part, getlink=True) is None:
                    raise FileError(f"{self.place} must hold {path}, there is nothing by that name.")
                if not isinstance(node.get(part, getlink=True), h5py.HardLink):
                    raise FileError(f"{place} must not lead elsewhere, got a link; use the original file.")
                node = node[part]
        return node

    def _place(self, path: str) -> str:
        """The name of a member for messages; the file says it, so it is made printable."""
        return f"{self.place}/{path}"
