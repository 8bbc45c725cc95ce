"""Write a rendered X-ray: numbers (.npy, .tiff), a picture (.png), or DICOM with its geometry (.dcm)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from PIL import Image, TiffImagePlugin
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.rigid import check_pose
from ..storage.atomic_write import check_folder, write_atomically
from .own_description import MARK
from .radiograph import DisplayStyle
from .raster import TIFF_DESCRIPTION

SUFFIXES = (".npy", ".tif", ".tiff", ".png", ".dcm")
WINDOW_QUANTILES = (0.001, 0.999)


def check_writable(path: str | Path) -> Path:
    """The path, if `save_image` could write there; called before long work so that it does not end in vain.

    Raises:
        InputError: The suffix is none of .npy, .tif, .tiff, .png, .dcm.
        OutputError: The folder is missing or refuses a file, or the path is a folder.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path} must end in {', '.join(SUFFIXES)}, got {path.suffix or 'no suffix'!r}; rename it.")
    check_folder(path)
    return path


def save_image(
    path: str | Path,
    image: Tensor,
    *,
    camera: Camera | None = None,
    pose: Tensor | None = None,
    sod: float | None = None,
    mirrored: bool = False,
    window: tuple[float, float] | None = None,
    style: DisplayStyle = "bone_bright",
    bits: Literal[8, 16] = 8,
    uid_seed: str | None = None,
) -> Path:
    """Write line integrals (B, C, H, W) in the format that the suffix names, whole or not at all.

    - .npy: float32 (B, C, H, W), untouched.
    - .tif, .tiff: 32-bit float, untouched, one page per view and channel (view-major); ImageDescription holds polarity,
      camera and pose as JSON, which `read_radiograph` understands.
    - .png: one view as a picture, grey = 0 at window[0] and 255 (or 65535) at window[1], linear and clipped between;
      label channels are added up (they share the line integral). "bone_dark" is the negative. The only format that
      `mirrored` changes.
    - .dcm: X-Ray Angiographic image of 16 bits with geometry tags, see `dicom_bytes`; channels are added up.

    Args:
        path: Where to; the suffix decides.
        image: Line integrals (B, C, H, W), finite, dimensionless.
        camera: Intrinsics of size H x W, one for all views; required by .dcm, stored by .tiff.
        pose: Camera to world (B, 4, 4) or (1, 4, 4); stored by .dcm and .tiff.
        sod: Source to isocentre [mm], stored by .dcm.
        mirrored: Mirror the .png left to right, as `View.mirrored_display` of a view asks.
        window: Line integrals shown black and white in the .png; None spans the 0.1st to the 99.9th percentile.
        style: "bone_bright" or "bone_dark", .png only.
        bits: Grey depth of the .png, 8 or 16.
        uid_seed: Text from which, with the content, the .dcm takes its identifiers; None draws random ones.

    Returns:
        The path.

    Raises:
        InputError: Unknown suffix, wrong shape, NaN, or an option that the format cannot hold.
        OutputError: The file could not be written; nothing is left behind.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path} must end in {', '.join(SUFFIXES)}, got {path.suffix or 'no suffix'!r}; rename it.")
    views = _checked(image, camera, pose)
    if suffix == ".npy":
        return write_atomically(path, lambda file: np.save(file, views, allow_pickle=False))
    if suffix == ".png":
        content = _png_bytes(views, mirrored=mirrored, window=window, style=style, bits=bits)
    elif suffix == ".dcm":
        if camera is None:
            raise InputError("a .dcm needs the camera for its geometry tags, got camera=None; pass it, or use .npy.")
        geometry = geometry_record(camera, pose)
        from .save_dicom import dicom_bytes  # with pydicom, which other formats can do without

        content = dicom_bytes(views.sum(1), geometry=geometry, sod=sod, uid_seed=uid_seed)
    else:
        content = _tiff_bytes(views, geometry_record(camera, pose))
    return write_atomically(path, lambda file: file.write(content))


def geometry_record(camera: Camera | None, pose: Tensor | None) -> dict[str, object]:
    """The camera and pose under the names of pose.json, for one shared camera; empty entries are left out."""
    record: dict[str, object] = {}
    if camera is not None:
        parts = [part.detach() for part in camera.tensors(dtype=torch.float64, device="cpu")]
        if max(map(len, parts)) > 1:
            raise InputError(f"a file holds one camera, got a batch of {max(map(len, parts))}; save the views apart.")
        sdd, spacing, centre = parts
        record = {"sdd": sdd.item(), "height": camera.height, "width": camera.width}
        record |= {"pixel_spacing": spacing[0].tolist(), "principal_point": centre[0].tolist()}
    if pose is not None:
        record |= {"camera_to_world": pose.detach().double().cpu().tolist(), "world": "RAS"}
    return record


def _checked(image: Tensor, camera: Camera | None, pose: Tensor | None) -> np.ndarray:
    if image.ndim != 4 or 0 in image.shape or not image.is_floating_point():
        came = f"{image.dtype} of shape {tuple(image.shape)}"
        raise InputError(f"image must be floating point (B, C, H, W) with no empty axis, got {came}.")
    views = image.detach().to("cpu").float().numpy()
    if not np.isfinite(views).all():
        raise InputError("image must be finite, got NaN or infinity; nothing was written.")
    if camera is not None and (camera.height, camera.width) != views.shape[2:]:
        size = f"{camera.height}x{camera.width}"
        raise InputError(f"camera must have the image size {views.shape[2]}x{views.shape[3]}, got {size}.")
    if pose is not None:
        check_pose(pose)
    if pose is not None and (pose.ndim != 3 or pose.shape[1:] != (4, 4) or len(pose) not in (1, len(views))):
        raise InputError(f"pose must be (1, 4, 4) or ({len(views)}, 4, 4), got {tuple(pose.shape)}.")
    return views


def _tiff_bytes(views: np.ndarray, geometry: dict[str, object]) -> bytes:
    record = {"polarity": "line_integral", "views": len(views), "channels": views.shape[1]}
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TIFF_DESCRIPTION] = json.dumps({MARK: {**record, **geometry}})
    pages = [Image.fromarray(page) for view in views for page in view]
    buffer = io.BytesIO()
    pages[0].save(buffer, format="TIFF", save_all=True, append_images=pages[1:], tiffinfo=tags)
    return buffer.getvalue()


def _png_bytes(
    views: np.ndarray, *, mirrored: bool, window: tuple[float, float] | None, style: DisplayStyle, bits: int
) -> bytes:
    if len(views) > 1:
        raise InputError(f"a .png holds one picture, got {len(views)} views; save each view, or use .npy or .tiff.")
    if style not in get_args(DisplayStyle) or bits not in (8, 16):
        raise InputError(f"style must be bone_bright or bone_dark and bits 8 or 16, got {style!r} and {bits}.")
    picture = views[0].sum(0)
    low, high = np.quantile(picture, WINDOW_QUANTILES) if window is None else window
    if not low < high:
        if window is not None:
            raise InputError(f"window must be (low, high) with low < high, got {window}.")
        high = low + 1.0  # a constant picture is black
    grey = np.clip((picture - low) / (high - low), 0.0, 1.0)
    grey = 1.0 - grey if style == "bone_dark" else grey
    grey = grey[:, ::-1] if mirrored else grey
    top, dtype = (255, np.uint8) if bits == 8 else (65535, np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray((grey * top).round().astype(dtype))).save(buffer, format="PNG")
    return buffer.getvalue()
