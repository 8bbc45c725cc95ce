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
from .confined_path import confined_path
from .declared_grid import (
    LPS_TO_RAS,
    DeclaredGrid,
    affine_from,
    checked_affine,
    checked_size,
    orientation_code,
)
from .provenance import ASSUMED, DOUBT, Found, Origin
from .raw_voxels import Compression, declared_voxels
from .text_header import read_text_header, to_float, to_ints

DTYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}

_GEOMETRY = (
    (("TransformMatrix", "Rotation", "Orientation"), "1 0 0 0 1 0 0 0 1"),
    (("ElementSpacing", "ElementSize"), "1 1 1"),
    (("Offset", "Position", "Origin"), "0 0 0"),
)
_OPPOSITE = dict(zip("RLAPIS", "LRPASI", strict=True))


def read_metaimage(path: Path, *, flat: bool = False) -> DeclaredGrid:
    """What a MetaImage file or detached header declares, checked.

    Args:
        path: The file or the header.
        flat: Take a picture of two axes as a volume of one layer.

    Raises:
        FileError: The file is no MetaImage, holds several volumes, channels, text voxels or several data files,
            names a data file outside its folder, or is shorter than declared.
    """
    lines, header_bytes = read_text_header(path, is_last=lambda line: line.split("=")[0].strip() == "ElementDataFile")
    fields = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines) if _}
    if "ElementDataFile" not in fields or "DimSize" not in fields:
        raise FileError(f"{path} is named like MetaImage but lacks DimSize or ElementDataFile; it is damaged.")
    if flat and fields.get("NDims") == "2":
        fields = _lifted(fields)
    fields = _of_one_time(fields)
    _check_kind(path, fields)
    size = checked_size(path, to_ints(path, "DimSize", fields["DimSize"]))
    found: Found = {}
    dtype = _dtype(path, fields, found)
    data, offset = _data(path, fields, header_bytes)
    compression: Compression = "zlib" if _is_true(fields.get("CompressedData", "False")) else "none"
    if fields.get("HeaderSize", "0") != "0" and data != path:
        skip = to_ints(path, "HeaderSize", fields["HeaderSize"])[0]
        if skip < -1:
            raise FileError(f"{path} must skip 0 or more bytes (or -1), its HeaderSize is {skip}.")
        offset = None if skip == -1 else skip
    read = declared_voxels(data, size=size, dtype=dtype, offset=offset, compression=compression)
    affine = _affine(path, fields, found)
    return DeclaredGrid(
        path=path,
        kind="MetaImage" + (", zlib" if compression == "zlib" else "") + ("" if data == path else f" in {data.name}"),
        size=size,
        affine=affine,
        read=read,
        provenance=found,
    )


def _lifted(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a picture as those of a volume of one layer."""
    matrix, spacing, origin = (names for names, _ in _GEOMETRY)
    lifted = {**fields, "NDims": "3", "DimSize": f"{fields['DimSize']} 1"}
    lifted |= {name: f"{fields[name]} 1" for name in spacing if name in fields}
    lifted |= {name: f"{fields[name]} 0" for name in origin if name in fields}
    for name in matrix:
        parts = fields.get(name, "").split()
        if len(parts) == 4:
            lifted[name] = " ".join([*parts[:2], "0", *parts[2:], "0 0 0 1"])
    return lifted


def _of_one_time(fields: dict[str, str]) -> dict[str, str]:
    """The fields of a volume in place of those of a series of one volume."""
    sizes = fields["DimSize"].split()
    if len(sizes) <= 3 or fields.get("NDims") != str(len(sizes)) or set(sizes[3:]) != {"1"}:
        return fields
    matrix, spacing, origin = (names for names, _ in _GEOMETRY)
    squeezed = {**fields, "NDims": "3", "DimSize": " ".join(sizes[:3])}
    squeezed |= {name: " ".join(fields[name].split()[:3]) for name in (*spacing, *origin) if name in fields}
    for name in matrix:
        parts, n = fields.get(name, "").split(), len(sizes)
        if len(parts) == n * n:
            squeezed[name] = " ".join(part for row in range(3) for part in parts[row * n : row * n + 3])
    return squeezed


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


def _dtype(path: Path, fields: Mapping[str, str], found: Found) -> np.dtype:
    name = fields.get("ElementType", "")
    if name not in DTYPES:
        raise FileError(f"{path} must hold real numbers of a fixed width, its ElementType is {name!r}; convert it.")
    dtype = np.dtype(DTYPES[name])
    found["stored as"] = Origin(dtype.name, "ElementType")
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB"))
    if big is None and dtype.itemsize > 1:
        found["byte order"] = Origin("little-endian", ASSUMED, "the header states none")
    return dtype.newbyteorder(">" if big is not None and _is_true(big) else "<")


def _data(path: Path, fields: Mapping[str, str], header_bytes: int) -> tuple[Path, int]:
    name = fields["ElementDataFile"]
    if name.upper() == "LOCAL":
        return path, header_bytes
    if name.upper().startswith("LIST") or re.search(r"%\d*d", name):
        raise FileError(f"{path} must name one data file, it names a list ({name!r}); save the volume as one .mha.")
    return confined_path(path, name), 0


def _affine(path: Path, fields: Mapping[str, str], found: Found) -> NDArray[np.float64]:
    found["affine from"] = Origin("LPS as ITK reads it", "TransformMatrix, ElementSpacing, Offset")
    matrix, spacing, origin = (_numbers(path, fields, names, default, found) for names, default in _GEOMETRY)
    if (len(matrix), len(spacing), len(origin)) != (9, 3, 3):
        raise FileError(f"{path} must give 9, 3 and 3 numbers for TransformMatrix, ElementSpacing and Offset.")
    affine = LPS_TO_RAS @ affine_from(matrix.reshape(3, 3).T * spacing, origin)
    affine = checked_affine(path, affine, origin="TransformMatrix and ElementSpacing")
    _compare_orientation(fields, affine, found)
    return affine


def _numbers(
    path: Path, fields: Mapping[str, str], names: tuple[str, ...], default: str, found: Found
) -> NDArray[np.float64]:
    text = next((fields[name] for name in names if name in fields), None)
    if text is None:
        text, is_scale = default, "ElementSpacing" in names
        note = "the header states none, 1 mm is MetaIO's default" if is_scale else "the header states none, as MetaIO"
        found[names[0]] = Origin(default, DOUBT if is_scale else ASSUMED, note)
    return np.array([to_float(path, names[0], part) for part in text.split()])


def _compare_orientation(fields: Mapping[str, str], affine: NDArray[np.float64], found: Found) -> None:
    """Doubt an AnatomicalOrientation that contradicts the matrix: its letters say where the axes come from."""
    said = fields.get("AnatomicalOrientation", "").upper()
    if not re.fullmatch("[RLAPIS]{3}", said):
        return
    used = "".join(_OPPOSITE[letter] for letter in orientation_code(affine))
    if said != used:
        note = f"TransformMatrix says {used} and is used, as ITK does; one of them is wrong"
        found["AnatomicalOrientation"] = Origin(said, DOUBT, note)


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1")
