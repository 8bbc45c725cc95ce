"""NIfTI-1 files for tests, field by field, independent of the reader and writer under test."""

import gzip
import struct
from pathlib import Path

import numpy as np

CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}


def nifti_bytes(
    voxels: np.ndarray,
    *,
    order: str = "<",
    sform: np.ndarray | None = None,
    sform_code: int = 1,
    qform: tuple[float, ...] | None = None,
    pixdim: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0),
    units: int = 2,
    slope: tuple[float, float] = (1.0, 0.0),
    dim: tuple[int, ...] | None = None,
    extension: bytes = b"",
    patches: dict[int, bytes] | None = None,
) -> bytes:
    """Voxels [k, j, i] (or with a leading time axis) as a single-file NIfTI-1.

    `qform` is (b, c, d, x, y, z); `patches` overwrites header bytes at the given offsets.
    """
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    sizes = dim or (voxels.ndim, *voxels.shape[::-1])
    struct.pack_into(order + "8h", header, 40, *(*sizes, 1, 1, 1, 1, 1)[:8])
    code = CODES[voxels.dtype.str[1:]]
    struct.pack_into(order + "2h", header, 70, code, 8 * voxels.dtype.itemsize)
    struct.pack_into(order + "4f", header, 76, *pixdim)
    struct.pack_into(order + "3f", header, 108, 352 + len(extension), *slope)
    header[123] = units
    struct.pack_into(order + "2h", header, 252, 0 if qform is None else 1, 0 if sform is None else sform_code)
    if qform is not None:
        struct.pack_into(order + "6f", header, 256, *qform)
    if sform is not None:
        struct.pack_into(order + "12f", header, 280, *np.asarray(sform)[:3].reshape(-1))
    header[344:348] = b"n+1\0"
    header[348] = bool(extension)
    for offset, content in (patches or {}).items():
        header[offset : offset + len(content)] = content
    return bytes(header) + extension + voxels.astype(voxels.dtype.newbyteorder(order)).tobytes()


def write_nifti(path: Path, voxels: np.ndarray, **options: object) -> Path:
    content = nifti_bytes(voxels, **options)
    path.write_bytes(gzip.compress(content, mtime=0) if path.name.endswith(".gz") else content)
    return path
