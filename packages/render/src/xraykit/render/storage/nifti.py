"""NIfTI-1 and NIfTI-2 (.nii, .nii.gz, .hdr with .img): size, scaling, orientation and what is odd about them.

Source: the NIfTI-1 definition, nifti1.h (orientation methods 1, 2 and 3, spatial units).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .declared_grid import DeclaredGrid, affine_from, checked_affine, checked_size
from .nifti_header import NiftiHeader, read_header
from .nifti_names import names_from_extensions
from .provenance import ASSUMED, DOUBT, Found, Origin
from .raw_voxels import declared_voxels

DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAME = {1: "metre", 2: "millimetre", 3: "micrometre"}
_PIXDIM_TOLERANCE = 0.01


def read_nifti(path: Path, *, flat: bool = False) -> DeclaredGrid:
    """What a NIfTI file declares, checked.

    Args:
        path: The file, or either half of a pair.
        flat: Take a picture of two axes as a volume of one layer, and its time points as layers.

    Raises:
        FileError: The file is no NIfTI, is shorter than declared, has more than three axes, or places its voxels by
            numbers that are none.
    """
    header = _lifted(read_header(path)) if flat else read_header(path)
    size = _size(header)
    dtype = _dtype(header)
    offset = _offset(header)
    compression = "gzip" if header.data_is_packed else "none"
    stored_voxels = declared_voxels(
        header.data, size=size, dtype=dtype, unpacked_offset=offset, compression=compression
    )
    found: Found = {}
    affine = _affine(header, found)
    found["stored as"] = Origin(f"{dtype.name}, {'big' if header.order == '>' else 'little'}-endian", "datatype")
    slope, intercept = _scaling(header, found)

    def read() -> NDArray[np.generic]:
        voxels = stored_voxels()
        if (slope, intercept) == (1.0, 0.0):
            return voxels
        return voxels.astype(np.float64 if dtype.itemsize > 4 else np.float32) * slope + intercept

    return DeclaredGrid(
        path=path,
        kind=header.kind,
        size=size,
        affine=affine,
        read=read,
        provenance=found,
        label_names=names_from_extensions(header.extensions, header.order),
    )


def _lifted(header: NiftiHeader) -> NiftiHeader:
    """The header of pictures as that of a volume whose layers they are."""
    n_axes, *sizes = (int(value) for value in header.fields["dim"])
    pixdim, srow = list(header.fields["pixdim"]), np.array(header.fields["srow"], np.float64).reshape(3, 4)
    layers = [size for size in sizes[2:n_axes] if size != 1]
    if 2 <= n_axes <= 7 and len(layers) <= 1:
        n_axes, sizes = 3, [*sizes[:2], *(layers or [1]), 1, 1, 1, 1]
    if not srow[:, 2].any():
        srow[:, 2] = np.cross(srow[:, 0], srow[:, 1])
    pixdim[3] = pixdim[3] or 1.0
    fields = {**header.fields, "dim": (n_axes, *sizes), "pixdim": tuple(pixdim), "srow": tuple(srow.ravel().tolist())}
    return replace(header, fields=fields)


def _size(header: NiftiHeader) -> tuple[int, int, int]:
    n_axes, *sizes = (int(value) for value in header.fields["dim"])
    if not 3 <= n_axes <= 7:
        raise FileError(f"{header.path} must hold a volume of three axes, its header declares {n_axes}.")
    if any(size not in (0, 1) for size in sizes[3:n_axes]):
        declared = " x ".join(map(str, sizes[:n_axes]))
        raise FileError(
            f"{header.path} must hold one volume, it holds {declared} (time points or channels); "
            "extract one volume first."
        )
    return checked_size(header.path, sizes[:3])


def _dtype(header: NiftiHeader) -> np.dtype:
    (code,), (bits,) = header.fields["datatype"], header.fields["bitpix"]
    if code not in DTYPES:
        raise FileError(
            f"{header.path} must hold real numbers, its NIfTI datatype is {code} (colour, complex or unknown); "
            "convert it to int16 or float32."
        )
    dtype = np.dtype(header.order + DTYPES[int(code)])
    if bits != 8 * dtype.itemsize:
        raise FileError(
            f"{header.path} declares datatype {code} ({dtype.name}) but {bits} bits per voxel; it is damaged."
        )
    return dtype


def _offset(header: NiftiHeader) -> int:
    (offset,), least = header.fields["vox_offset"], header.least_offset
    if not (np.isfinite(offset) and least <= offset < 2**31 and offset == int(offset)):
        raise FileError(
            f"{header.path} must say where its voxels start ({least} or later), its vox_offset is {offset}."
        )
    return int(offset)


def _scaling(header: NiftiHeader, found: Found) -> tuple[float, float]:
    slope, intercept = header.fields["scaling"]
    if slope == 0 or not np.isfinite(slope):  # the standard's and nibabel's ways of saying "unscaled"
        found["rescale"] = Origin("none", f"scl_slope {slope:g}")
        if np.isfinite(intercept) and intercept != 0:
            said = f"the slope of {slope:g} means unscaled, yet an intercept stands beside it; it is not applied"
            found["rescale intercept"] = Origin(float(intercept), DOUBT, said)
        return 1.0, 0.0
    if not np.isfinite(intercept):
        raise FileError(f"{header.path} must scale its voxels by finite numbers, its scl_inter is {intercept}.")
    found["rescale"] = Origin(f"x {slope:g} + {intercept:g}", "scl_slope, scl_inter")
    return slope, intercept


def _affine(header: NiftiHeader, found: Found) -> NDArray[np.float64]:
    path, (qform_code, sform_code) = header.path, header.fields["codes"]
    unit = int(header.fields["units"][0]) & 7
    if sform_code <= 0 and any(value < 0 for value in header.fields["pixdim"][1:4]):
        shown = " x ".join(f"{value:g}" for value in header.fields["pixdim"][1:4])
        said = "a spacing has no sign: it is left out, as nibabel does, where ITK mirrors; check which side is left"
        found["pixdim"] = Origin(shown, DOUBT, said)
    if unit not in _MM_PER_UNIT:
        raise FileError(f"{path} must measure space in m, mm or micrometres, its xyzt_units is {unit}.")
    qform = _qform(header) if qform_code > 0 else None
    if sform_code > 0:
        rows = np.array(header.fields["srow"], np.float64).reshape(3, 4)
        affine = checked_affine(path, affine_from(rows[:, :3], rows[:, 3]), origin="sform")
        source = "sform"
        found["affine from"] = Origin(f"sform, code {sform_code:g}", "sform_code, qform_code")
    elif qform is not None:
        affine, source = qform, "qform"
        found["affine from"] = Origin(f"qform, code {qform_code:g}", "sform_code, qform_code")
    else:
        affine, source = _method_1(header), "pixdim"
        said = "sform and qform codes are 0, so i, j, k run to patient right, anterior, superior (NIfTI method 1)"
        found["affine from"] = Origin("pixdim", ASSUMED, said)
        said = "nothing in the file says which side is left, and some programs read such files mirrored; check it"
        found["orientation"] = Origin(None, DOUBT, said)
    if sform_code > 0 and qform is not None:
        gap = np.abs(qform - affine)[:3].max()
        if gap > 1e-3 * np.abs(qform[:3]).max():
            found["qform"] = Origin(None, DOUBT, f"qform differs from sform by up to {gap:.3g}; sform is used")
    if source == "sform":
        _compare_spacing(header, affine, found)
    if unit == 0:
        found["length unit"] = Origin("mm", ASSUMED, "xyzt_units states none")
    else:
        found["length unit"] = Origin(_UNIT_NAME[unit], "xyzt_units")
    return checked_affine(path, np.diag([_MM_PER_UNIT[unit]] * 3 + [1.0]) @ affine, origin=source)


def _method_1(header: NiftiHeader) -> NDArray[np.float64]:
    spacing = np.abs(header.fields["pixdim"][1:4])
    return checked_affine(header.path, affine_from(np.diag(spacing), np.zeros(3)), origin="pixdim")


def _compare_spacing(header: NiftiHeader, affine: NDArray[np.float64], found: Found) -> None:
    said, used = np.abs(header.fields["pixdim"][1:4]), np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(said).all() or (np.abs(said - used) > _PIXDIM_TOLERANCE * used).any():
        shown = " x ".join(f"{value:g}" for value in said)
        taken = " x ".join(f"{value:.6g}" for value in used)
        note = f"pixdim differs from the spacing of the sform, {taken}, which is used; one of them is wrong"
        found["pixdim"] = Origin(shown, DOUBT, note)


def _qform(header: NiftiHeader) -> NDArray[np.float64]:
    path, (qfac, *signed) = header.path, header.fields["pixdim"][:4]
    spacing = np.abs(signed)
    b, c, d, *shift = header.fields["quaternion"]
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
