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

LARGEST = 1 << 32  # bytes of one array in memory


@contextmanager
def open_hdf5(path: str | Path) -> Iterator[H5Group]:
    """The root of an HDF5 file, open for reading.

    Raises:
        FileError: Missing, or no HDF5 file. BackendUnavailableError: h5py is not installed.
    """
    h5py = require("h5py", extra="evaluate", distribution="xraykit-xvr", what="an HDF5 data set")
    path = Path(path)
    if not path.is_file():
        raise FileError(f"{path} must be an HDF5 file, there is no file by that name.")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FileError(f"{path} must be an HDF5 file, got another or a damaged one; get it again.") from error
    with file:
        yield H5Group(file, str(path))


class H5Group:
    """A group whose members are read only after they were found to be plain.

    Args:
        group: The h5py group.
        place: Its name for messages.
    """

    def __init__(self, group: Any, place: str) -> None:
        self._group, self.place = group, place

    def __contains__(self, path: str) -> bool:
        return path in self._group

    @property
    def names(self) -> tuple[str, ...]:
        """Members, sorted."""
        return tuple(sorted(self._group))

    def group(self, path: str) -> H5Group:
        """A group below."""
        import h5py

        found = self._member(path)
        if not isinstance(found, h5py.Group):
            raise FileError(f"{self.place}/{path} must be a group, got an array.")
        return H5Group(found, f"{self.place}/{path}")

    def array(self, path: str, *shape: int | None) -> NDArray[Any]:
        """A numeric array; `shape` as far as it is known (None is any length), vectors also as one row or column.

        Raises:
            FileError: Missing, of another type or shape, not finite, or too large.
        """
        values = self._read(path)
        if values.dtype.kind not in "iufb":
            raise FileError(f"{self.place}/{path} must be numbers, got type {values.dtype}.")
        if len(shape) == 1 and values.ndim == 2 and 1 in values.shape:
            values = values.reshape(-1)
        if len(shape) != values.ndim or any(n not in (None, m) for n, m in zip(shape, values.shape, strict=True)):
            wanted = tuple("any" if n is None else n for n in shape)
            raise FileError(f"{self.place}/{path} must have shape {wanted}, got {values.shape}.")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise FileError(f"{self.place}/{path} must be finite, got NaN or infinity.")
        return values

    def number(self, path: str) -> float:
        """One finite number, also where it is stored as an array of one."""
        values = self._read(path)
        if values.size != 1 or values.dtype.kind not in "iufb" or not np.isfinite(values).all():
            raise FileError(f"{self.place}/{path} must be one finite number, got {values.dtype} {values.shape}.")
        return float(values.reshape(()))

    def text(self, path: str) -> str:
        """One text."""
        value = self._member(path)
        found = self._read(path).reshape(-1)
        if found.size != 1 or not isinstance(found[0], bytes | str):
            raise FileError(f"{self.place}/{path} must be a text, got {getattr(value, 'dtype', 'a group')}.")
        return found[0].decode("utf-8", "replace") if isinstance(found[0], bytes) else str(found[0])

    def _read(self, path: str) -> NDArray[Any]:
        import h5py

        found = self._member(path)
        if not isinstance(found, h5py.Dataset):
            raise FileError(f"{self.place}/{path} must be an array, got a group.")
        if found.external or found.is_virtual:
            raise FileError(f"{self.place}/{path} must lie in this file, got an array kept in another one.")
        if found.nbytes > LARGEST:
            raise FileError(f"{self.place}/{path} must be at most {LARGEST} bytes, it declares {found.nbytes}.")
        try:
            return np.asarray(found[()])
        except (OSError, MemoryError) as error:
            raise FileError(f"{self.place}/{path} cannot be read ({error}); get the file again.") from error

    def _member(self, path: str) -> Any:
        """What is at `path`, every link on the way being a plain one."""
        import h5py

        node = self._group
        for part in path.split("/"):
            if not isinstance(node, h5py.Group) or node.get(part, getlink=True) is None:
                raise FileError(f"{self.place} must hold {path}, there is nothing by that name.")
            if not isinstance(node.get(part, getlink=True), h5py.HardLink):
                raise FileError(f"{self.place}/{path} must not lead elsewhere, got a link; use the original file.")
            node = node[part]
        return node
