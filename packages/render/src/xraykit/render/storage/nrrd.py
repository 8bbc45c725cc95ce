"""NRRD (.nrrd, .nhdr): header, orientation and 3D Slicer's segment names.

Source: the NRRD format definition, teem.sourceforge.net/nrrd/format.html (NRRD0001 to NRRD0005).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import FileError
from .confined_path import confined_path
from .declared_grid import DeclaredGrid, checked_size
from .nrrd_header import NrrdHeader, affine_of, lifted_header, read_nrrd_header
from .provenance import Found, Origin
from .raw_voxels import Compression, declared_voxels
from .text_header import to_ints
from .text_voxels import text_voxels

TYPES = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
DTYPES = {name: code for code, names in TYPES.items() for name in names.split("|")}
_OF_SEGMENT, _WHOLE = re.compile(r"Segment(\d{1,9})_(?:ID|Name|LabelValue)"), re.compile(r"\d{1,9}")
_ENCODINGS: dict[str, Compression] = {"raw": "none", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_WRITTEN = ("ascii", "text", "txt")


def read_nrrd(path: Path, *, flat: bool = False) -> DeclaredGrid:
    """What an NRRD file or detached header declares, checked.

    Args:
        path: The file or the header.
        flat: Take a picture of two axes as a volume of one layer, in whatever space.

    Raises:
        FileError: The file is no NRRD, lies in no patient space, holds several volumes or several data files, names a
            data file outside its folder, or is shorter than declared.
    """
    header = read_nrrd_header(path)
    header = lifted_header(header) if flat else header
    is_sequence_of_one = header.has_list and header.sizes[0] == 1
    if len(header.sizes) != 3 and not is_sequence_of_one:
        raise FileError(
            f"{path} must hold one volume of three axes, it declares dimension {len(header.sizes)} with sizes "
            f"{' x '.join(map(str, header.sizes))}; export one volume."
        )
    return read_nrrd_layers(header)[0]


def read_nrrd_layers(header: NrrdHeader) -> list[DeclaredGrid]:
    """One grid for each value that a voxel has; they share the file, which is read once for all of them.

    Raises:
        FileError: As for `read_nrrd`.
    """
    path, fields, layers = header.path, header.fields, header.layers
    sizes = header.sizes[1:] if layers > 1 or len(header.sizes) == 4 else header.sizes
    if len(sizes) != 3 or (len(header.sizes) == 4 and header.layers != header.sizes[0]):
        raise FileError(
            f"{path} must hold one volume of three axes, or layers of segments before them, it declares sizes "
            f"{' x '.join(map(str, header.sizes))}; export one volume."
        )
    size = checked_size(path, sizes)
    checked_size(path, (size[0] * layers, *size[1:]))
    encoding = header.required("encoding").lower()
    compression = "none" if encoding in _WRITTEN else _ENCODINGS.get(encoding)
    if compression is None:
        raise FileError(
            f"{path} must be encoded raw, gzip, bzip2 or ascii, it says {fields['encoding']!r}; save it again."
        )
    dtype = _dtype(header, is_text=encoding in _WRITTEN)
    data, offset = _data(header)
    start = _skip(header, compression, offset)
    packed_size = (size[0] * layers, size[1], size[2])
    if encoding in _WRITTEN:
        read = text_voxels(data, size=packed_size, dtype=dtype, offset=offset if start is None else start)
    else:
        read = declared_voxels(data, size=packed_size, dtype=dtype, offset=start, compression=compression)
    found: Found = {}
    affine = affine_of(header, found)
    found["stored as"] = Origin(dtype.name, "type")
    kind = f"NRRD, {fields['encoding']}" + ("" if data == path else f", data in {data.name}")
    names = segment_names(header.keys)
    if layers == 1:
        return [DeclaredGrid(path, kind, size, affine, read, found, label_names=names)]
    whole = cache(lambda: read().reshape(*size[::-1], layers))
    return [DeclaredGrid(path, kind, size, affine, partial(lambda n: whole()[..., n], n), found) for n in range(layers)]


def _dtype(header: NrrdHeader, *, is_text: bool) -> np.dtype:
    name = header.required("type").lower()
    if name not in DTYPES:
        raise FileError(
            f"{header.path} must hold real numbers, its NRRD type is {name!r}; convert it to short or float."
        )
    dtype = np.dtype(DTYPES[name])
    endian = header.fields.get("endian", "").lower()
    if dtype.itemsize > 1 and not is_text and endian not in ("little", "big"):
        raise FileError(f"{header.path} must declare 'endian: little' or 'endian: big', got {endian!r}.")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _data(header: NrrdHeader) -> tuple[Path, int]:
    name = header.fields.get("datafile")
    if name is None:
        return header.path, header.n_bytes
    if name.upper().startswith("LIST") or re.search(r"%\d*d", name):
        raise FileError(
            f"{header.path} must name one data file, it names a list ({name!r}); save the volume as one .nrrd."
        )
    return confined_path(header.path, name), 0


def _skip(header: NrrdHeader, compression: Compression, offset: int) -> int | None:
    """Bytes before the voxels; None where these are the last bytes of the file."""
    lines, skip = (to_ints(header.path, name, header.fields.get(name, "0"))[0] for name in ("lineskip", "byteskip"))
    if lines or skip < -1 or (compression != "none" and skip):
        raise FileError(
            f"{header.path} must hold its voxels without line skip or (when compressed) byte skip, it declares "
            f"{lines} and {skip}; save it again."
        )
    return None if skip == -1 else offset + skip


def segment_names(keys: Mapping[str, str]) -> Mapping[int, str]:
    """Segment<n>_LabelValue and Segment<n>_Name, as 3D Slicer writes them into .seg.nrrd of one layer."""
    return {segment.value: segment.name for segment in reversed(segments(keys))}


class StoredSegment(NamedTuple):
    """One segment of a .seg.nrrd: the layer in which it stands, the value it has there, and its name."""

    layer: int
    value: int
    name: str


def segments(keys: Mapping[str, str]) -> list[StoredSegment]:
    """What 3D Slicer says of its segments, in its order; before version 4.11 each had a layer, and 1 in it."""
    found = []
    for number in dict.fromkeys(match[1] for key in keys if (match := _OF_SEGMENT.fullmatch(key))):
        said, layer = (keys.get(f"Segment{number}_{what}", "") for what in ("LabelValue", "Layer"))
        name = keys.get(f"Segment{number}_Name", f"segment_{number}")
        if _WHOLE.fullmatch(said):
            found.append(StoredSegment(int(layer) if _WHOLE.fullmatch(layer) else 0, int(said), name))
        elif not said:
            found.append(StoredSegment(int(number), 1, name))
    return found
