"""Cameras of X-rays from calibration files: which file is whose, and what it says of the image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from xraykit.render import InputError
from xraykit.render.files import CameraFile, CameraNeeds, read_cameras

from .settings import XraySettings

_NUMBER = re.compile(r"cam(?:era)?[ _.-]?0*(\d+)", re.IGNORECASE)


class CameraChoice(NamedTuple):
    """The camera file of an X-ray, and which of the `count` X-rays it serves this one is."""

    path: Path
    number: int
    count: int


def assigned_cameras(cameras: Sequence[str | Path], xrays: Sequence[str | Path]) -> Sequence[CameraChoice | None]:
    """The camera of each X-ray: one file each in their order, or one for all; None where no file is given.

    Raises:
        InputError: Another number of files, or an X-ray whose name says another camera than its file's ("cam1" and
            "cam2", in the name or that of its folder).
    """
    files, images = [Path(path) for path in cameras], [Path(path) for path in xrays]
    if not files:
        return [None] * len(images)
    if len(files) not in (1, len(images)):
        raise InputError(f"--camera must be given once, or once for each of {len(images)} X-rays, got {len(files)}.")
    if len(files) == 1:
        chosen = [CameraChoice(files[0], n, len(images)) for n in range(len(images))]
    else:
        chosen = [CameraChoice(path, 0, 1) for path in files]
    for choice, image in zip(chosen, images, strict=True):
        of_file, of_image = _number(choice.path), _number(image)
        if len(files) == len(images) and of_file is not None and of_image is not None and of_file != of_image:
            raise InputError(
                f"{choice.path} was given for {image}, which is of camera {of_image} by its name; give the cameras in "
                "the order of the X-rays."
            )
    return chosen


def stated_camera(choice: CameraChoice, settings: XraySettings, *, height: int, width: int) -> CameraFile:
    """The one view of a camera file that an X-ray of height x width pixels was taken by.

    Raises:
        FileError: The file is no camera of such an image.
        InputError: It holds another number of views than it serves X-rays, or an option contradicts it.
    """
    if settings.principal_point is not None:
        raise InputError(f"{choice.path} states the principal point, got --principal-point too; leave one out.")
    needs = CameraNeeds(height, width, settings.sdd, settings.pixel_spacing)  # type: ignore[arg-type]  # of one view
    views = read_cameras(choice.path, needs).views()
    if len(views) not in (1, choice.count):
        raise InputError(
            f"{choice.path} holds {len(views)} views, got {choice.count} for it; give as many X-rays, in its order."
        )
    view = views[choice.number if len(views) > 1 else 0]
    if settings.mirror is not None and settings.mirror != view.mirrored:
        said = "mirrored" if view.mirrored else "not mirrored"
        raise InputError(
            f"{choice.path} says that its image is {said}, got an option that says otherwise; leave it out."
        )
    return view


def _number(path: Path) -> int | None:
    """The number of the camera that a file's name, or that of its folder, states."""
    for name in (path.name, path.absolute().parent.name):
        found = _NUMBER.search(name)
        if found:
            return int(found.group(1))
    return None
