"""NRRD (.nrrd, .nhdr): header, orientation and 3D Slicer's segment names.

Source: the NRRD format definition, teem.sourceforge.net/nrrd/format.html (NRRD0001 to NRRD0005).
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
_ENCODINGS: dict[str, Compression] = {"raw": "none", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras"), np.eye(4)),
    **dict.fromkeys(("left-posterior-superior", "lps"), LPS_TO_RAS),
    **dict.fromkeys(("left-anterior-superior", "las"), np.diag([-1.0, 1.0, 1.0, 1.0])),
}
_MM_PER_UNIT = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "\u00b5m": 0.001}


def read_nrrd(path: Path) -> DeclaredGrid:
    """What an NRRD file or detached header declares, checked.

    Raises:
        FileError: The file is no NRRD, declares no patient space, several volumes, text voxels or several data
            files, names a data file outside its folder, or is shorter than declared.
    """
    lines, header_bytes = read_text_header(path, is_last=lambda line: line.strip() == "")
    if not lines or not re.fullmatch(r"NRRD000[1-5]", lines[0].strip()):
        raise FileError(f"{path} is named like NRRD but does not begin with NRRD0001 to NRRD0005; it is damaged.")
    fields, keys = _parse(path, lines[1:])
    size = _size(path, fields)
    dtype = _dtype(path, fields)
    compression = _ENCODINGS.get(_required(path, fields, "encoding").lower())
    if compression is None:
        raise FileError(f"{path} must be encoded raw, gzip or bzip2, it says {fields['encoding']!r}; save it again.")
    data, offset = _data(path, fields, header_bytes)
    offset = _skip(path, fields, compression, offset)
    read = declared_voxels(data, size=size, dtype=dtype, offset=offset, compression=compression)
    affine = _affine(path, fields)
    return DeclaredGrid(
        path=path,
        kind=f"NRRD, {fields['encoding']}" + ("" if data == path else f", data in {data.name}"),
        size=size,
        affine=affine,
        read=read,
        facts=(
            Fact("affine from", fields["space"], "space, space directions, space origin"),
            Fact("stored as", dtype.name, "type"),
        ),
        label_names=_segment_names(keys),
    )


def _parse(path: Path, lines: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        if ":=" in line:
            key, value = line.split(":=", 1)
            keys[key.strip()] = value.strip()
        elif ":" in line:
            key, value = line.split(":", 1)
            fields[re.sub(r"[\s_]", "", key.lower())] = value.strip()
        else:
            raise FileError(f"{path} must hold 'field: value' lines in its NRRD header, it has {line[:60]!r}.")
    return fields, keys


def _required(path: Path, fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name.replace(" ", ""))
    if not value:
        raise FileError(f"{path} must declare its NRRD field '{name}', it does not; write the header again.")
    return value


def _size(path: Path, fields: Mapping[str, str]) -> tuple[int, int, int]:
    sizes = to_ints(path, "sizes", _required(path, fields, "sizes"))
    if _required(path, fields, "dimension") != "3" or len(sizes) != 3:
        raise FileError(
            f"{path} must hold one volume of three axes, it declares dimension {fields['dimension']} with sizes "
            f"{fields['sizes']}; export one volume (or a label map without overlapping segments)."
        )
    return checked_size(path, sizes)


def _dtype(path: Path, fields: Mapping[str, str]) -> np.dtype:
    name = _required(path, fields, "type").lower()
    if name not in DTYPES:
        raise FileError(f"{path} must hold real numbers, its NRRD type is {name!r}; convert it to short or float.")
    dtype = np.dtype(DTYPES[name])
    endian = fields.get("endian", "").lower()
    if dtype.itemsize > 1 and endian not in ("little", "big"):
        raise FileError(f"{path} must declare 'endian: little' or 'endian: big', got {endian!r}.")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _data(path: Path, fields: Mapping[str, str], header_bytes: int) -> tuple[Path, int]:
    name = fields.get("datafile")
    if name is None:
        return path, header_bytes
    if name.upper().startswith("LIST") or re.search(r"%\d*d", name):
        raise FileError(f"{path} must name one data file, it names a list ({name!r}); save the volume as one .nrrd.")
    return confined_path(path, name), 0


def _skip(path: Path, fields: Mapping[str, str], compression: Compression, offset: int) -> int | None:
    """Bytes before the voxels; None where these are the last bytes of the file."""
    lines, skip = (to_ints(path, name, fields.get(name, "0"))[0] for name in ("lineskip", "byteskip"))
    if lines or skip < -1 or (compression != "none" and skip):
        raise FileError(
            f"{path} must hold its voxels without line skip or (when compressed) byte skip, it declares "
            f"{lines} and {skip}; save it again."
        )
    return None if skip == -1 else offset + skip


def _affine(path: Path, fields: Mapping[str, str]) -> NDArray[np.float64]:
    space = _required(path, fields, "space").lower()
    if space not in _SPACES:
        raise FileError(
            f"{path} must lie in a patient space (left-posterior-superior, RAS or LAS), its space is {space!r}."
        )
    steps = [_vector(path, text) for text in re.findall(r"\([^)]*\)|none", _required(path, fields, "space directions"))]
    if len(steps) != 3:
        raise FileError(f"{path} must give three space directions, it gives {fields['spacedirections']!r}.")
    corner = _vector(path, _required(path, fields, "space origin"))
    units = [unit.strip().lower() for unit in re.findall(r'"([^"]*)"', fields.get("spaceunits", ""))]
    if any(unit not in _MM_PER_UNIT for unit in units):
        raise FileError(f"{path} must measure space in mm, cm, m or um, its space units are {fields['spaceunits']}.")
    scale = np.diag([*(_MM_PER_UNIT[unit] for unit in (units or ["mm"] * 3)), 1.0])
    if scale.shape != (4, 4):
        raise FileError(f"{path} must give three space units, it gives {fields['spaceunits']}.")
    affine = _SPACES[space] @ scale @ affine_from(np.stack(steps, axis=1), corner)
    return checked_affine(path, affine, origin="space directions")


def _vector(path: Path, text: str) -> NDArray[np.float64]:
    parts = text.strip("() ").split(",")
    if len(parts) != 3:
        raise FileError(f"{path} must give its space vectors as (x,y,z), got {text!r}.")
    return np.array([to_float(path, "space vector", part) for part in parts])


def _segment_names(keys: Mapping[str, str]) -> Mapping[int, str]:
    """Segment<n>_LabelValue and Segment<n>_Name, as 3D Slicer writes them into .seg.nrrd."""
    names = {}
    for key, value in keys.items():
        match = re.fullmatch(r"Segment(\d+)_LabelValue", key)
        if match and re.fullmatch(r"\d{1,9}", value):
            names[int(value)] = keys.get(f"Segment{match[1]}_Name", f"segment_{match[1]}")
    return names
