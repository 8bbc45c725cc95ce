"""The header of NIfTI-1 and NIfTI-2, as one file or as a pair .hdr/.img: the same fields from other places.

It is read here and not by ITK because ITK refuses sheared sforms, which gantry-tilted CT needs.
Source: nifti1.h and nifti2.h (field offsets), https://nifti.nimh.nih.gov/nifti-2.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError

_SUFFIX_OF_OTHER = {".hdr": ".img", ".img": ".hdr"}
# field: (NIfTI-1 offset and format, NIfTI-2 offset and format)
_PLACES: dict[str, tuple[tuple[int, str], tuple[int, str]]] = {
    "dim": ((40, "8h"), (16, "8q")),
    "datatype": ((70, "h"), (12, "h")),
    "bitpix": ((72, "h"), (14, "h")),
    "pixdim": ((76, "8f"), (104, "8d")),
    "vox_offset": ((108, "f"), (168, "q")),
    "scaling": ((112, "2f"), (176, "2d")),
    "units": ((123, "B"), (500, "i")),
    "codes": ((252, "2h"), (344, "2i")),
    "quaternion": ((256, "6f"), (352, "6d")),
    "srow": ((280, "12f"), (400, "12d")),
}
_LENGTHS = {1: 348, 2: 540}
_MAGICS = {1: {b"n+1\0": False, b"ni1\0": True}, 2: {b"n+2\0": False, b"ni2\0": True}}
MAX_EXTENSION_BYTES = 16 << 20


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a header that say how voxels are stored and where they lie.

    Args:
        path: The file that holds the header.
        data: The file that holds the voxels: the same one, or the .img of a pair.
        version: 1 or 2.
        order: Byte order, "<" or ">".
        fields: The numbers of `_PLACES`, by name.
        data_is_packed: Whether the voxels' file is gzip.
        extensions: The bytes after the header in which label names may stand.
    """

    path: Path
    data: Path
    version: int
    order: str
    fields: dict[str, tuple[float, ...]]
    data_is_packed: bool
    extensions: bytes

    @property
    def kind(self) -> str:
        """File type in words."""
        pair = "" if self.data == self.path else f", voxels in {self.data.name}"
        return f"NIfTI-{self.version}" + pair + (", gzip" if self.data_is_packed else "")

    @property
    def least_offset(self) -> int:
        """Where voxels can begin at the earliest [bytes]."""
        return 0 if self.data != self.path else _LENGTHS[self.version] + 4


def read_header(path: Path) -> NiftiHeader:
    """The header of a NIfTI file, or of the pair that a .hdr or .img belongs to.

    Raises:
        FileError: No NIfTI, ANALYZE (which does not say where left is), a pair without its other half.
    """
    header_path = _other(path) if _ending(path) == ".img" else path
    packed = _is_packed(header_path)
    start = _read_start(header_path, 352, packed=packed, least=348)
    version, order = _version(path, start)
    if version == 2:
        start = _read_start(header_path, 544, packed=packed, least=540)
    magic = start[344:348] if version == 1 else start[4:8]
    is_pair = _MAGICS[version].get(magic)
    if is_pair is None:
        raise FileError(
            f"{path} must bear the mark of NIfTI-{version} (n+{version} or ni{version}), it bears {magic!r}: ANALYZE "
            "does not say which side is left; convert it with the tool that made it."
        )
    fields = {
        name: tuple(struct.unpack_from(order + places[version - 1][1], start, places[version - 1][0]))
        for name, places in _PLACES.items()
    }
    data = _other(header_path) if is_pair else header_path
    data_is_packed = _is_packed(data) if is_pair else packed
    extensions = b"" if is_pair else _extensions(header_path, start, fields, version, packed=packed)
    return NiftiHeader(header_path, data, version, order, fields, data_is_packed, extensions)


def _version(path: Path, start: bytes) -> tuple[int, str]:
    for version, length in _LENGTHS.items():
        for order in "<>":
            if struct.unpack_from(order + "i", start, 0)[0] == length:
                return version, order
    raise FileError(f"{path} is named like NIfTI but its first bytes are no NIfTI header; it is damaged or misnamed.")


def _extensions(path: Path, start: bytes, fields: dict, version: int, *, packed: bool) -> bytes:
    length, (offset,) = _LENGTHS[version], fields["vox_offset"]
    if len(start) <= length or not start[length] or not length + 4 < offset <= MAX_EXTENSION_BYTES:
        return b""
    return _read_start(path, int(offset), packed=packed, least=0)[length + 4 :]


def _read_start(path: Path, n_bytes: int, *, packed: bool, least: int) -> bytes:
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            start = file.read(n_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} must be a readable gzip file, unpacking it failed: {error}.") from error
    if len(start) < least:
        raise FileError(f"{path} must begin with the {least} bytes of a NIfTI header, it holds {len(start)}.")
    return start


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _ending(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return name[-4:] if name[-4:] in _SUFFIX_OF_OTHER else ""


def _other(path: Path) -> Path:
    """The other half of a pair, packed or not."""
    ending = _ending(path)
    if not ending:
        raise FileError(f"{path} says that its voxels lie in a file .img, so it must be named .hdr itself; rename it.")
    stem = path.name[: path.name.lower().rindex(ending)]
    other = _SUFFIX_OF_OTHER[ending]
    for name in (stem + other, stem + other + ".gz", stem + other.upper()):
        if (path.parent / name).is_file():
            return path.parent / name
    raise FileError(f"{path} is one half of a NIfTI pair, {stem}{other} must lie beside it; copy both.")
