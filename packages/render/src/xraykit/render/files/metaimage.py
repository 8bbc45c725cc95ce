"""MetaImage (.mha, .mhd): header and orientation. ITK's meaning of the fields is followed: world is LPS.

Source: MetaIO's tag reference (ObjectType = Image); TransformMatrix lists the direction of each axis in turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.confined_path import confined_path
from ..storage.declared_grid import LPS_TO_RAS, DeclaredGrid, Fact, affine_from, checked_affine, checked_size
from ..storage.text_header import read_text_header, to_float, to_ints
from .raw_voxels import Compression, declared_voxels

DTYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}


def read_metaimage(path: Path) -> DeclaredGrid:
    """What a MetaImage file or detached header declares, checked.

    Raises:
        FileError: The file is no MetaImage, holds several volumes, channels, text voxels or several data files,
            names a data file outside its folder, or is shorter than declared.
    """
    lines, header_bytes = read_text_header(path, is_last=lambda line: line.split("=")[0].strip() == "ElementDataFile")
    fields = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines) if _}
    if "ElementDataFile" not in fields or "DimSize" not in fields:
        raise FileError(f"{path} is named like MetaImage but lacks DimSize or ElementDataFile; it is damaged.")
    _check_kind(path, fields)
    size = checked_size(path, to_ints(path, "DimSize", fields["DimSize"]))
    dtype = _dtype(path, fields)
    data, offset = _data(path, fields, header_bytes)
    compression: Compression = "zlib" if _is_true(fields.get("CompressedData", "False")) else "none"
    if fields.get("HeaderSize", "0") != "0" and data != path:
        skip = to_ints(path, "HeaderSize", fields["HeaderSize"])[0]
        if skip < -1:
            raise FileError(f"{path} must skip 0 or more bytes (or -1), its HeaderSize is {skip}.")
        offset = None if skip == -1 else skip
    read = declared_voxels(data, size=size, dtype=dtype, offset=offset, compression=compression)
    affine = _affine(path, fields)
    return DeclaredGrid(
        path=path,
        kind="MetaImage" + (", zlib" if compression == "zlib" else "") + ("" if data == path else f" in {data.name}"),
        size=size,
        affine=affine,
        read=read,
        facts=(
            Fact("affine from", "LPS as ITK reads it", "TransformMatrix, ElementSpacing, Offset"),
            Fact("stored as", dtype.name, "ElementType"),
        ),
    )


def _check_kind(path: Path, fields: Mapping[str, str]) -> None:
    expected = {"ObjectType": "Image", "NDims": "3", "ElementNumberOfChannels": "1", "BinaryData": "True"}
    for name, value in expected.items():
        got = fields.get(name, value)
        if got.lower() != value.lower():
            raise FileError(f"{path} must be one binary volume with {name} = {value}, it says {got!r}; convert it.")
    slope, intercept = (
        to_float(path, name, fields.get(f"ElementToIntensityFunction{name}", default))
        for name, default in (("Slope", "1"), ("Offset", "0"))
    )
    if (slope, intercept) != (1.0, 0.0):
        raise FileError(
            f"{path} scales its voxels (slope {slope:g}, offset {intercept:g}), which ITK ignores; "
            "store the scaled values instead."
        )


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype:
    name = fields.get("ElementType", "")
    if name not in DTYPES:
        raise FileError(f"{path} must hold real numbers of a fixed width, its ElementType is {name!r}; convert it.")
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    return np.dtype(DTYPES[name]).newbyteorder(">" if _is_true(big) else "<")


def _data(path: Path, fields: Mapping[str, str], header_bytes: int) -> tuple[Path, int]:
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        return path, header_bytes
    if name.upper().startswith("LIST") or re.search(r"%\d*d", name):
        raise FileError(f"{path} must name one data file, it names a list ({name!r}); save the volume as one .mha.")
    return confined_path(path, name), 0


def _affine(path: Path, fields: Mapping[str, str]) -> NDArray[np.float64]:
    matrix = _numbers(path, fields, ("TransformMatrix", "Rotation", "Orientation"), "1 0 0 0 1 0 0 0 1")
    spacing = _numbers(path, fields, ("ElementSpacing", "ElementSize"), None)
    origin = _numbers(path, fields, ("Offset", "Position", "Origin"), None)
    if (len(matrix), len(spacing), len(origin)) != (9, 3, 3):
        raise FileError(f"{path} must give 9, 3 and 3 numbers for TransformMatrix, ElementSpacing and Offset.")
    affine = LPS_TO_RAS @ affine_from(matrix.reshape(3, 3).T * spacing, origin)
    return checked_affine(path, affine, origin="TransformMatrix and ElementSpacing")


def _numbers(path: Path, fields: Mapping[str, str], names: tuple[str, ...], default: str | None) -> NDArray[np.float64]:
    text = next((fields[name] for name in names if name in fields), default)
    if text is None:
        raise FileError(f"{path} must declare {names[0]}, it does not; write the header again.")
    return np.array([to_float(path, names[0], part) for part in text.split()])


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1")
