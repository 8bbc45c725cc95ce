"""A volume or label map as NIfTI, NRRD or MetaImage; the same input gives the same bytes, and no patient tags."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..storage import metaimage, nifti, nrrd
from ..storage.atomic_write import write_atomically
from ..storage.declared_grid import LPS_TO_RAS
from ..storage.nifti_names import extension_with_names


def write_volume(
    path: str | Path, voxels: ArrayLike, affine: ArrayLike, *, label_names: Mapping[int, str] | None = None
) -> Path:
    """Write voxels (HU, intensities or labels) to .nii, .nii.gz, .nrrd or .mha.

    Every file type keeps the full affine, shear included (NIfTI and MetaImage text and floats: NIfTI rounds it to
    float32). The file appears whole or not at all.

    Args:
        path: Where to write; the suffix decides the type. NRRD and MHA are compressed, .nii is not.
        voxels: (D, H, W), a tensor on the CPU or an array; stored in its own type (bool as uint8, half as float32).
        affine: Voxel (i, j, k) to world RAS [mm], (4, 4).
        label_names: Names of label values, which .nii, .nii.gz and .nrrd can carry.

    Returns:
        The path.

    Raises:
        InputError: An unknown suffix, voxels that are no volume, or names for a type that has no place for them.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    array, matrix = np.asarray(voxels), np.asarray(affine, np.float64)
    if array.ndim != 3 or 0 in array.shape or matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(
            f"write_volume needs voxels (depth, height, width) and a finite 4x4 affine, got {array.shape} "
            f"and {matrix.shape}."
        )
    array = _storable(array)
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        content = _nifti(array, matrix, label_names or {})
        content = gzip.compress(content, compresslevel=4, mtime=0) if name.endswith(".gz") else content
    elif name.endswith(".nrrd"):
        content = _nrrd(array, matrix, label_names or {})
    elif name.endswith(".mha"):
        if label_names:
            raise InputError("an .mha file has no place for label names; write .nii.gz or .nrrd instead.")
        content = _metaimage(array, matrix)
    else:
        raise InputError(f"a volume is written as .nii, .nii.gz, .nrrd or .mha, got {path.name!r}.")
    return write_atomically(path, lambda file: file.write(content))


def _storable(array: NDArray[np.generic]) -> NDArray[np.generic]:
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise InputError(f"voxels must be real numbers, got {array.dtype}.")
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))


def _code_of(codes: Mapping[int, str] | Mapping[str, str], dtype: np.dtype) -> int | str:
    return next(code for code, name in codes.items() if np.dtype(name) == dtype.newbyteorder("="))


def _nifti(array: NDArray[np.generic], affine: NDArray[np.float64], label_names: Mapping[int, str]) -> bytes:
    extension = extension_with_names(label_names) if label_names else b""
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    if max(array.shape) > 32767:
        raise InputError(f"NIfTI-1 holds at most 32767 voxels along an axis, got {array.shape}; write .nrrd instead.")
    struct.pack_into("<8h", header, 40, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _code_of(nifti.DTYPES, array.dtype), 8 * array.dtype.itemsize)
    quaternion, qfac = _quaternion(affine[:3, :3] / spacing)
    struct.pack_into("<4f", header, 76, qfac, *spacing)
    struct.pack_into("<3f", header, 108, 352 + len(extension), 1.0, 0.0)
    header[123] = 2  # millimetres
    struct.pack_into("<2h", header, 252, 0 if quaternion is None else 1, 1)
    if quaternion is not None:
        struct.pack_into("<6f", header, 256, *quaternion, *affine[:3, 3])
    struct.pack_into("<12f", header, 280, *affine[:3].reshape(-1))
    header[344:348], header[348] = b"n+1\0", bool(extension)
    return bytes(header) + extension + array.tobytes()


def _quaternion(rotation: NDArray[np.float64]) -> tuple[NDArray[np.float64] | None, float]:
    """(b, c, d) of the qform and its qfac; None for a sheared grid, which no quaternion describes."""
    qfac = 1.0 if np.linalg.det(rotation) > 0 else -1.0
    rotation = rotation * [1, 1, qfac]
    if np.abs(rotation.T @ rotation - np.eye(3)).max() > 1e-5:
        return None, qfac
    x, y, z = rotation
    # The eigenvector of the largest eigenvalue is the quaternion (Bar-Itzhack 2000); its sign makes a >= 0.
    matrix = np.array(
        [
            [x[0] + y[1] + z[2], z[1] - y[2], x[2] - z[0], y[0] - x[1]],
            [z[1] - y[2], x[0] - y[1] - z[2], x[1] + y[0], x[2] + z[0]],
            [x[2] - z[0], x[1] + y[0], y[1] - x[0] - z[2], y[2] + z[1]],
            [y[0] - x[1], x[2] + z[0], y[2] + z[1], z[2] - x[0] - y[1]],
        ]
    )
    vector = np.linalg.eigh(matrix)[1][:, -1]
    return (vector * (1.0 if vector[0] >= 0 else -1.0))[1:], qfac


def _nrrd(array: NDArray[np.generic], affine: NDArray[np.float64], label_names: Mapping[int, str]) -> bytes:
    lps = LPS_TO_RAS @ affine
    lines = [
        "NRRD0004",
        f"type: {_code_of(nrrd.DTYPES, array.dtype)}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, array.shape[::-1]))}",
        f"space directions: {' '.join(_vector(column) for column in lps[:3, :3].T)}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(lps[:3, 3])}",
    ]
    for n, (value, name) in enumerate(sorted(label_names.items())):
        one_line = " ".join(name.split())
        lines += [f"Segment{n}_LabelValue:={value}", f"Segment{n}_Name:={one_line}"]
    return "\n".join([*lines, "", ""]).encode() + gzip.compress(array.tobytes(), compresslevel=4, mtime=0)


def _metaimage(array: NDArray[np.generic], affine: NDArray[np.float64]) -> bytes:
    lps = LPS_TO_RAS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    packed = zlib.compress(array.tobytes(), 4)
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = True",
        f"CompressedDataSize = {len(packed)}",
        f"TransformMatrix = {_row((lps[:3, :3] / spacing).T.reshape(-1))}",
        f"Offset = {_row(lps[:3, 3])}",
        f"ElementSpacing = {_row(spacing)}",
        f"DimSize = {' '.join(map(str, array.shape[::-1]))}",
        f"ElementType = {_code_of(metaimage.DTYPES, array.dtype)}",
        "ElementDataFile = LOCAL",
        "",
    ]
    return "\n".join(lines).encode() + packed


def _row(values: NDArray[np.float64]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _vector(values: NDArray[np.float64]) -> str:
    return "(" + ",".join(repr(float(value)) for value in values) + ")"
