"""Cameras from files: one function for every format, which the content decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..converters.calibration_text import check_image_size, read_calibration_text
from ..converters.jointtrack import CODES, read_jointtrack
from ..converters.mayacam import parse_camera_text, read_mayacam
from ..converters.pinhole import PeerView
from ..converters.rtk import from_rtk
from ..converters.rtk_xml import read_rtk
from ..errors import FileError
from ..geometry.camera import Camera, Pair
from .pose_json import read_pose

_AGREES = 1e-3  # of the distance


@dataclass(frozen=True)
class CameraNeeds:
    """What the caller knows of the image, for files that do not say it themselves.

    Args:
        height: Rows [px].
        width: Columns [px].
        sdd: Source to detector [mm].
        pixel_spacing: (row, column) or one number [mm].
    """

    height: int | None = None
    width: int | None = None
    sdd: float | None = None
    pixel_spacing: float | tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class CameraFile:
    """The views of a camera file.

    Args:
        path: The file.
        kind: Its format, in words.
        camera: Intrinsics, as for `pose`.
        pose: Camera to the file's own world [mm], (N, 4, 4) float64; of several files of one calibration it is the same
            world.
        mirrored: The file's image is ours flipped left to right.
        assumptions: What nobody stated, one sentence each.
    """

    path: Path
    kind: str
    camera: Camera
    pose: Tensor
    mirrored: bool
    assumptions: tuple[str, ...] = ()

    def views(self) -> list[CameraFile]:
        """Each view by itself, with intrinsics as plain numbers."""
        sdd, spacing, centre = self.camera.tensors(dtype=torch.float64, device="cpu")
        sdd, spacing, centre = (
            part.expand(len(self.pose), *part.shape[1:]).tolist() for part in (sdd, spacing, centre)
        )
        size = {"height": self.camera.height, "width": self.camera.width}
        return [
            CameraFile(
                self.path,
                self.kind,
                Camera(sdd[n], **size, pixel_spacing=tuple(spacing[n]), principal_point=tuple(centre[n])),
                self.pose[n : n + 1],
                self.mirrored,
                self.assumptions,
            )
            for n in range(len(self.pose))
        ]


def read_cameras(path: str | Path, needs: CameraNeeds | None = None) -> CameraFile:
    """The views of a camera file, whatever its name: pose.json, MayaCam 2.0, K R t or P text, JointTrack, RTK.

    Args:
        path: The file.
        needs: Size of the image, and the scale that K and P do not hold; what the file states itself must agree.

    Returns:
        Its views.

    Raises:
        FileError: Missing, another file, numbers that are no camera, or a size, distance or spacing that the file
            lacks or that disagrees with it.
    """
    path, needs = Path(path), needs or CameraNeeds()
    text = read_calibration_text(path)
    kind, read = next((name, read) for name, (is_it, read) in FORMATS.items() if is_it(text.lstrip()))
    view = read(path, needs)
    notes = []
    if kind == TEXT and needs.sdd is None and needs.pixel_spacing is None:
        sdd = view.camera.sdd_mm
        notes.append(
            f"sdd: {path.name} does not state it, so {sdd:.0f} mm are taken, 1.5 times the distance of its origin; the "
            "image does not depend on it"
        )
    if kind in (JOINTTRACK, RTK) or (kind == TEXT and parse_camera_text(path, text).size is None):
        notes.append(f"size: {path.name} does not state that of its image, so it is taken to be of this one")
    return CameraFile(path, kind, view.camera, view.pose.to(torch.float64), view.mirrored, tuple(notes))


def _pose_json(path: Path, needs: CameraNeeds) -> PeerView:
    camera, pose = read_pose(path)
    check_image_size(path, (camera.width, camera.height), needs.height, needs.width)
    _check_stated(path, needs, sdd=camera.sdd_mm, pixel_spacing=camera.pixel_spacing)
    return PeerView(camera, pose, False)


def _jointtrack(path: Path, needs: CameraNeeds) -> PeerView:
    height, width = check_image_size(path, None, needs.height, needs.width)
    view = read_jointtrack(path, height=height, width=width)
    _check_stated(path, needs, sdd=view.camera.sdd_mm, pixel_spacing=view.camera.pixel_spacing)
    return view


def _rtk(path: Path, needs: CameraNeeds) -> PeerView:
    height, width = check_image_size(path, None, needs.height, needs.width)
    if needs.pixel_spacing is None:
        raise FileError(f"{path} does not state the pixel spacing of its images; give it with --pixel-spacing MM.")
    row, column = _pair(needs.pixel_spacing)
    view = from_rtk(read_rtk(path, size=(width, height), spacing=(column, row)))
    _check_stated(path, needs, sdd=view.camera.sdd_mm)
    return view


def _text(path: Path, needs: CameraNeeds) -> PeerView:
    height, width, spacing = needs.height, needs.width, needs.pixel_spacing
    if needs.sdd is None or spacing is None:
        return read_mayacam(path, height=height, width=width, sdd=needs.sdd, pixel_spacing=spacing)
    view = read_mayacam(path, height=height, width=width, pixel_spacing=spacing)
    implied = view.camera.sdd_mm
    if abs(implied - needs.sdd) > _AGREES * needs.sdd:
        raise FileError(
            f"{path} with pixels of {needs.pixel_spacing} mm has a source to detector distance of {implied:.1f} mm, "
            f"got {needs.sdd} mm; give one of the two."
        )
    return view


POSE, JOINTTRACK, RTK, TEXT = "pose.json", "JointTrack calibration", "RTK geometry", "camera text"
FORMATS: dict[str, tuple[Callable[[str], bool], Callable[[Path, CameraNeeds], PeerView]]] = {
    POSE: (lambda text: text.startswith("{"), _pose_json),
    RTK: (lambda text: text.startswith("<"), _rtk),
    JOINTTRACK: (lambda text: text.startswith((*CODES, "JT")), _jointtrack),
    TEXT: (lambda text: True, _text),
}
"""Formats in the order in which they are tried: whether a text is one, and its reader."""


def _check_stated(path: Path, needs: CameraNeeds, **stated: float | Pair) -> None:
    """What the file says itself cannot be said otherwise."""
    for name, value in stated.items():
        given = getattr(needs, name)
        if given is not None and any(abs(a - b) > 1e-6 * b for a, b in zip(_pair(given), _pair(value), strict=True)):
            option = "--" + name.replace("_", "-")
            raise FileError(f"{path} states {name} itself, {value} mm, got {option} {given}; leave the option out.")


def _pair(value: float | Pair) -> tuple[float, float]:
    first, second = (value, value) if isinstance(value, int | float) else value
    return float(first), float(second)
