"""Exactly the declared number of voxels from a file, raw or compressed, and nothing that it does not hold."""

from __future__ import annotations

import bz2
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .reading_progress import told

Compression = Literal["none", "gzip", "zlib", "bzip2"]

_CHUNK = 1 << 24
_GZIP_BITS, _GZIP_MARK = zlib.MAX_WBITS | 16, b"\x1f\x8b"
_PAST_END = 1 << 20
# No stream of these formats can expand further: deflate spends at least one bit on 129 bytes, a bzip2 block of some
# forty bytes unpacks to 46 MB at most. A header that promises more is wrong, and no data need be read to say so.
_MAX_EXPANSION = {"none": 1, "gzip": 1032, "zlib": 1032, "bzip2": 2_000_000}
_MOST_SUSPICIOUS, _USUAL_EXPANSION = 1 << 29, 200
"""Masks are packed a thousandfold; what unpacks to more bytes than this must not be packed better than CTs are."""
_WORKING_BYTES = 8
"""Bytes of a voxel beside its stored ones: its Hounsfield number and its attenuation, both float32."""


def declared_voxels(
    path: Path,
    *,
    size: tuple[int, int, int],
    dtype: np.dtype,
    offset: int | None = 0,
    unpacked_offset: int = 0,
    compression: Compression = "none",
) -> Callable[[], NDArray[np.generic]]:
    """Check that a file can hold the voxels its header declares, and give the function that reads them.

    Args:
        path: The file that holds them.
        size: Voxels along i, j, k, already checked.
        dtype: Stored type with its byte order.
        offset: Bytes of the file before the (perhaps compressed) data; None where the data are its last bytes.
        unpacked_offset: Bytes of the unpacked data before the first voxel.
        compression: How the voxels are packed.

    Returns:
        A function that reads the voxels [k, j, i]. It raises FileError where the compressed stream is damaged or ends
        early, or the file has changed.

    Raises:
        FileError: The file is too short for what is declared, unpacks to more than files of its kind do, or holds
            more than this machine's memory.
    """
    n_bytes = int(np.prod(size)) * dtype.itemsize
    check_memory(path, size, dtype)
    start = path.stat().st_size - n_bytes if offset is None else offset

    def check() -> None:
        _check_file_holds(path, unpacked_offset + n_bytes, offset=start, compression=compression)

    def read() -> NDArray[np.generic]:
        check()
        return _read_voxels(path, size, dtype, start, unpacked_offset, compression)

    check()
    return read


def _read_voxels(
    path: Path, size: tuple[int, int, int], dtype: np.dtype, offset: int, unpacked_offset: int, compression: Compression
) -> NDArray[np.generic]:
    voxels = np.empty(size[::-1], dtype)  # untouched memory costs nothing until data arrive
    target = voxels.reshape(-1).view(np.uint8).data
    try:
        with path.open("rb") as file:
            file.seek(offset)
            stream = _unpacked(file, compression)
            stream.read(unpacked_offset)
            for start in told(range(0, len(target), _CHUNK), f"pieces of {_CHUNK >> 20} MB"):
                piece, done = target[start : start + _CHUNK], 0
                while done < len(piece):
                    got = stream.readinto(piece[done:])
                    if not got:
                        raise _short(path, voxels.nbytes, start + done)
                    done += got
            if compression != "none":
                stream.read(_PAST_END)  # a checksum is compared only where the stream ends
    except EOFError as error:
        raise _short(path, voxels.nbytes, None) from error
    except (OSError, zlib.error, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} must hold readable {compression} data, reading it failed: {error}.") from error
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def _check_file_holds(path: Path, n_bytes: int, *, offset: int, compression: Compression) -> None:
    """FileError unless a file of this length can hold `n_bytes` after `offset`, judged without reading it."""
    available = (path.stat().st_size - offset) * _MAX_EXPANSION[compression]
    if n_bytes > available:
        raise _short(path, n_bytes, max(available, 0) if compression == "none" else None)
    packed = path.stat().st_size - offset
    if compression != "none" and n_bytes > max(_MOST_SUSPICIOUS, _USUAL_EXPANSION * packed):
        raise FileError(
            f"{path} declares {n_bytes} bytes of voxels in {packed} packed ones, more than any scan; refused as a "
            "decompression bomb, save it unpacked if it is real."
        )


def check_memory(path: Path, size: tuple[int, int, int], dtype: np.dtype) -> None:
    """FileError where the voxels and what is made of them exceed this machine's memory."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    needed = int(np.prod(size)) * (dtype.itemsize + _WORKING_BYTES)
    if needed > memory > 0:
        raise FileError(
            f"{path} declares {' x '.join(map(str, size))} voxels, which need {needed / 1e9:.3g} GB of memory, this "
            f"machine has {memory / 1e9:.3g}; crop or resample it first."
        )


def _short(path: Path, expected: int, got: int | None) -> FileError:
    held = "fewer" if got is None else f"only {got}"
    return FileError(
        f"{path} must hold {expected} bytes of voxels as its header declares, it holds {held}; "
        "the file is cut short or its header is wrong."
    )


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def readinto(self, target: memoryview, /) -> int: ...


def _unpacked(file: BinaryIO, compression: Compression) -> _Readable:
    if compression == "bzip2":
        return bz2.BZ2File(file)
    return cast(_Readable, file if compression == "none" else _InflatedStream(file, compression))


class _InflatedStream:
    """A zlib or gzip stream as a readable file; bytes behind the last gzip member are left alone, as gzip does."""

    def __init__(self, file: BinaryIO, compression: Compression) -> None:
        self._file, self._bits = file, _GZIP_BITS if compression == "gzip" else zlib.MAX_WBITS
        self._inflate, self._pending = zlib.decompressobj(self._bits), b""

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        done = 0
        while done < size and (got := self.readinto(memoryview(buffer)[done:])):
            done += got
        return bytes(buffer[:done])

    def readinto(self, target: memoryview) -> int:
        while not self._inflate.eof or self._next_member():
            packed = self._pending or self._file.read(1 << 16)
            if not packed:
                raise EOFError("the stream has no end")
            data = self._inflate.decompress(packed, len(target))
            self._pending = self._inflate.unconsumed_tail
            if data:
                target[: len(data)] = data
                return len(data)
        return 0

    def _next_member(self) -> bool:
        """Whether another gzip member follows the one that has ended; it is opened then."""
        rest = self._inflate.unused_data
        rest += self._file.read(2 - len(rest)) if len(rest) < 2 else b""
        if self._bits != _GZIP_BITS or not rest.startswith(_GZIP_MARK):
            return False
        self._inflate, self._pending = zlib.decompressobj(self._bits), rest
        return True
