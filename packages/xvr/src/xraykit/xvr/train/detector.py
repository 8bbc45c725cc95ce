"""The detector that a network is made for: a preset's, a user's own numbers, or the camera of the X-rays to come."""

from __future__ import annotations

from pathlib import Path

import torch

from xraykit.render import Camera, InputError
from xraykit.render.files import CameraNeeds, read_cameras
from xraykit.render.views import POSE_RANGES

from ..network.frame import NetworkFrame
from .settings import TrainingDetectorSettings, TrainSettings

FIELD = 2.1764375 * 128
"""Side of the detector [mm] for presets that publish none: that of deepfluoro, like the distance below."""
SDD = 1020.0


def chosen_frame(settings: TrainSettings) -> NetworkFrame:
    """The frame of a new network: the detector of the settings, or of their preset, and what its poses count from.

    Raises:
        FileError: A camera file that is missing, damaged, or contradicts image size, distance or spacing.
        InputError: It holds several views, or options contradict it.
    """
    detector, network = settings.detector, settings.network
    size = detector.size or 64
    if detector.camera is None:
        camera = _square(detector, settings.poses.preset, size)
    else:
        camera = square_round(_of_file(detector.camera, detector), size)
    return NetworkFrame(
        sdd=camera.sdd_mm,
        height=camera.height,
        delx=float(torch.as_tensor(camera.pixel_spacing)),
        frame=network.pose_frame,
        parameterization=network.parameterization,
        principal_point=camera.principal_point,  # type: ignore[arg-type]  # plain numbers
    )


def square_round(camera: Camera, size: int) -> Camera:
    """The smallest square detector that holds a detector of plain numbers, about its middle, in size x size pixels."""
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    row, column = spacing[0].tolist()
    x, y = centre[0].tolist()
    pitch = max(camera.height * row, camera.width * column) / size
    x = size / 2 + (x - camera.width / 2) * column / pitch
    y = size / 2 + (y - camera.height / 2) * row / pitch
    return Camera(sdd=float(sdd[0]), height=size, width=size, pixel_spacing=pitch, principal_point=(x, y))


def _square(detector: TrainingDetectorSettings, preset: str, size: int) -> Camera:
    for name in ("image_size", "pixel_spacing"):
        if getattr(detector, name) is not None:
            option = "--" + name.replace("_", "-")
            raise InputError(f"{option} completes a camera file, got no --camera; give it, or leave {option} out.")
    published = POSE_RANGES[preset]
    side = detector.field_of_view or (FIELD if published.delx is None else published.delx * 128)
    return Camera(sdd=detector.sdd or published.sdd or SDD, height=size, width=size, pixel_spacing=side / size)


def _of_file(path: Path, detector: TrainingDetectorSettings) -> Camera:
    if detector.field_of_view is not None:
        raise InputError(f"{path} states the detector, got --field-of-view too; leave one out.")
    height, width = detector.image_size or (None, None)
    if detector.image_size is not None and min(detector.image_size) < 1:
        raise InputError(f"--image-size must be two positive whole numbers of rows and columns, got {height} {width}.")
    spacing = detector.pixel_spacing
    if spacing is not None and len(spacing) not in (1, 2):
        raise InputError(f"--pixel-spacing must be one number, or a pair of row and column, got {len(spacing)}.")
    pair = None if spacing is None else (spacing[0], spacing[-1])
    views = read_cameras(path, CameraNeeds(height, width, detector.sdd, pair)).views()
    if len(views) != 1:
        raise InputError(f"{path} must hold one camera to train for, got {len(views)} views; give a file of one.")
    return views[0].camera
