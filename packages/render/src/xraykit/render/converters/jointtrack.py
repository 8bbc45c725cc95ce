"""JointTrack's calibration.txt: one camera at the origin that looks along -z, y up."""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import FileError, GeometryError
from ..geometry.camera import Camera
from ..storage.atomic_write import write_atomically
from ..storage.brief import brief
from .calibration_text import numbers_in, read_calibration_text
from .pinhole import PeerView, unsettle

CODES = ("JT_INTCALIB", "JTA_INTCALIB")


def read_jointtrack(path: str | Path, *, height: int, width: int) -> PeerView:
    r"""The view of a JointTrack calibration: principal distance, x and y offset, pixel size, all in mm.

    The world is that of JointTrack's poses (X = R v + t): the source is its origin, x runs to the image's right, y up,
    and the detector lies at z = -distance. With offsets (o_x, o_y), f the distance and p the pixel size,

        u = width / 2 + (o_x + f X / (-Z)) / p,    v = height / 2 - (o_y + f Y / (-Z)) / p.

    Args:
        path: Text that begins with JT_INTCALIB or JTA_INTCALIB.
        height: Image rows, which the file does not state.
        width: Image columns.

    Returns:
        camera, pose (1, 4, 4) float64 to JointTrack's world, and `mirrored`, which is False.

    Raises:
        FileError: Another text (JTA_INTCALIB_BIPLANE among them), or numbers that are no camera.
    """
    code, _, rest = read_calibration_text(path).strip().replace(",", " ").partition("\n")
    code, _, more = code.strip().partition(" ")
    if code not in CODES:
        raise FileError(f"{path} must begin with {' or '.join(CODES)}, got {brief(code, limit=40)!r}.")
    distance, x, y, pitch = numbers_in(path, f"{more}\n{rest}", count=4, what="distance, x and y offset and pixel size")
    try:
        point = (width / 2 + x / pitch, height / 2 - y / pitch) if pitch > 0 else (0.0, 0.0)
        camera = Camera(distance, height, width, pixel_spacing=pitch, principal_point=point)
    except GeometryError as error:
        raise FileError(f"{path} states no camera: {error}") from error
    return PeerView(camera, torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))[None], False)


def write_jointtrack(path: str | Path, camera: Camera) -> None:
    """Write the intrinsics of one camera as JointTrack's calibration.txt; the size of the image is not in it.

    Raises:
        GeometryError: Several cameras, or pixels that are not square.
        OutputError: The file cannot be written.
    """
    _, camera = unsettle(camera, torch.eye(4, dtype=torch.float64))
    sdd, spacing, centre = (part.detach() for part in camera.tensors(dtype=torch.float64, device="cpu"))
    if max(len(sdd), len(spacing), len(centre)) > 1:
        raise GeometryError("a JointTrack calibration holds one camera, got several; write one file for each.")
    (row, column), (u, v) = spacing[0].tolist(), centre[0].tolist()
    if abs(row - column) > 1e-9 * row:
        raise GeometryError(f"a JointTrack calibration has square pixels, got {row} x {column} mm; resample the image.")
    numbers = (float(sdd[0]), (u - camera.width / 2) * row, (camera.height / 2 - v) * row, row)
    text = "\n".join([CODES[0], *map(repr, numbers)])
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))
