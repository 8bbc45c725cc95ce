"""NIfTI-1 (.nii, .nii.gz): header, orientation and label names, read straight from the 348 bytes.

The header is read here and not by ITK because ITK refuses sheared sforms, which gantry-tilted CT needs.
Source: the NIfTI-1 definition, nifti1.h (field offsets, orientation methods 2 and 3, spatial units).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.declared_grid import DeclaredGrid, Fact, affine_from, checked_affine, checked_size
from .nifti_names import names_from_extensions
from .raw_voxels import declared_voxels

DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAME = {0: "not stated, mm assumed", 1: "metre", 2: "millimetre", 3: "micrometre"}
_MAX_EXTENSION_BYTES = 16 << 20


def read_nifti(path: Path) -> DeclaredGrid:
    """What a NIfTI-1 file declares, checked.

    Raises:
        FileError: The file is no NIfTI-1, is shorter than declared, has more than three axes or no orientation.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    header = _read_start(path, 352, packed=packed)
    order = _byte_order(path, header)
    size = _size(path, header, order)
    dtype = _dtype(path, header, order)
    offset = _offset(path, struct.unpack_from(order + "f", header, 108)[0])
    compression = "gzip" if packed else "none"
    stored_voxels = declared_voxels(path, size=size, dtype=dtype, unpacked_offset=offset, compression=compression)
    affine, orientation = _orientation(path, header, order)
    slope, intercept, scaling = _scaling(path, header, order)

    def read() -> NDArray[np.generic]:
        voxels = stored_voxels()
        if (slope, intercept) == (1.0, 0.0):
            return voxels
        return voxels.astype(np.float64 if dtype.itemsize > 4 else np.float32) * slope + intercept

    stored = Fact("stored as", f"{dtype.name}, {'big' if order == '>' else 'little'}-endian", "datatype")
    return DeclaredGrid(
        path=path,
        kind="NIfTI-1" + (", gzip" if packed else ""),
        size=size,
        affine=affine,
        read=read,
        facts=(*orientation, stored, scaling),
        label_names=_label_names(path, header, order, offset, packed=packed),
    )


def _read_start(path: Path, n_bytes: int, *, packed: bool) -> bytes:
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            start = file.read(n_bytes)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path} must be a readable gzip file, unpacking it failed: {error}.") from error
    if len(start) < n_bytes:
        raise FileError(f"{path} must begin with the {n_bytes} bytes of a NIfTI-1 header, it holds {len(start)}.")
    return start


def _byte_order(path: Path, header: bytes) -> str:
    for order in "<>":
        length = struct.unpack_from(order + "i", header, 0)[0]
        if length == 348 and header[344:348] == b"n+1\0":
            return order
        if length == 540:
            raise FileError(f"{path} is NIfTI-2, which is not read here; save it as NIfTI-1 or NRRD.")
        if length == 348:
            raise FileError(
                f"{path} must be a single-file NIfTI-1 (magic n+1), its magic is {header[344:348]!r}; "
                "ANALYZE and .hdr/.img pairs must be converted first."
            )
    raise FileError(f"{path} is named like NIfTI but its first bytes are no NIfTI-1 header; it is damaged or misnamed.")


def _size(path: Path, header: bytes, order: str) -> tuple[int, int, int]:
    n_axes, *sizes = struct.unpack_from(order + "8h", header, 40)
    if not 3 <= n_axes <= 7:
        raise FileError(f"{path} must hold a volume of three axes, its header declares {n_axes}.")
    if any(size != 1 for size in sizes[3:n_axes]):
        declared = " x ".join(map(str, sizes[:n_axes]))
        raise FileError(
            f"{path} must hold one volume, it holds {declared} (time points or channels); extract one volume first."
        )
    return checked_size(path, sizes[:3])


def _dtype(path: Path, header: bytes, order: str) -> np.dtype:
    code, bits = struct.unpack_from(order + "2h", header, 70)
    if code not in DTYPES:
        raise FileError(
            f"{path} must hold real numbers, its NIfTI datatype is {code} (colour, complex or unknown); "
            "convert it to int16 or float32."
        )
    dtype = np.dtype(order + DTYPES[code])
    if bits != 8 * dtype.itemsize:
        raise FileError(f"{path} declares datatype {code} ({dtype.name}) but {bits} bits per voxel; it is damaged.")
    return dtype


def _offset(path: Path, offset: float) -> int:
    if not (np.isfinite(offset) and 352 <= offset < 2**31 and offset == int(offset)):
        raise FileError(f"{path} must say where its voxels start (352 or later), its vox_offset is {offset}.")
    return int(offset)


def _scaling(path: Path, header: bytes, order: str) -> tuple[float, float, Fact]:
    slope, intercept = struct.unpack_from(order + "2f", header, 112)
    if slope == 0 or not np.isfinite(slope):  # the standard's and nibabel's ways of saying "unscaled"
        return 1.0, 0.0, Fact("rescale", "none", f"scl_slope {slope:g}")
    if not np.isfinite(intercept):
        raise FileError(f"{path} must scale its voxels by finite numbers, its scl_inter is {intercept}.")
    return slope, intercept, Fact("rescale", f"x {slope:g} + {intercept:g}", "scl_slope, scl_inter")


def _orientation(path: Path, header: bytes, order: str) -> tuple[NDArray[np.float64], tuple[Fact, ...]]:
    qform_code, sform_code = struct.unpack_from(order + "2h", header, 252)
    unit = header[123] & 7
    if unit not in _MM_PER_UNIT:
        raise FileError(f"{path} must measure space in m, mm or micrometres, its xyzt_units is {header[123]}.")
    qform = _qform(path, header, order) if qform_code > 0 else None
    if sform_code > 0:
        rows = np.array(struct.unpack_from(order + "12f", header, 280)).reshape(3, 4)
        affine = checked_affine(path, affine_from(rows[:, :3], rows[:, 3]), origin="sform")
        source = f"sform, code {sform_code}"
    elif qform is not None:
        affine, source = qform, f"qform, code {qform_code}"
    else:
        raise FileError(
            f"{path} must say where the patient lies, its sform and qform codes are 0; "
            "write the orientation into the header, or pass voxels and affine to Volume.from_hu."
        )
    affine = np.diag([_MM_PER_UNIT[unit]] * 3 + [1.0]) @ affine
    affine = checked_affine(path, affine, origin=source.split(",")[0])
    facts = [Fact("affine from", source, "sform_code, qform_code"), Fact("length unit", _UNIT_NAME[unit], "xyzt_units")]
    if sform_code > 0 and qform is not None:
        gap = np.abs(qform - affine / _MM_PER_UNIT[unit])[:3].max()
        if gap > 1e-3 * np.abs(qform[:3]).max():
            facts.append(Fact("warning", f"qform differs from sform by up to {gap:.3g}; sform is used", "qform, sform"))
    return affine, tuple(facts)


def _qform(path: Path, header: bytes, order: str) -> NDArray[np.float64]:
    qfac, *spacing = struct.unpack_from(order + "4f", header, 76)
    b, c, d, *shift = struct.unpack_from(order + "6f", header, 256)
    squares = b * b + c * c + d * d
    if not np.isfinite([qfac, *spacing, *shift]).all():
        raise FileError(f"{path} must place its voxels by finite numbers, its qform and pixdim do not.")
    if not np.isfinite(squares) or squares > 1.0 + 1e-3:
        raise FileError(f"{path} must hold a unit quaternion in its qform, got b, c, d = {b:g}, {c:g}, {d:g}.")
    b, c, d = (value / max(1.0, np.sqrt(squares)) for value in (b, c, d))
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    return affine_from(rotation * spacing * np.array([1, 1, -1 if qfac < 0 else 1]), np.array(shift))


def _label_names(path: Path, header: bytes, order: str, offset: int, *, packed: bool) -> Mapping[int, str]:
    if not header[348] or offset > _MAX_EXTENSION_BYTES:
        return {}
    return names_from_extensions(_read_start(path, offset, packed=packed)[352:], order)
