"""What is compared at one scale: X-rays and volumes of matching resolution, where there is anatomy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from torch import Tensor

from xraykit.render import Camera, InputError

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .motion import Motion
from .objective import Objective, TargetImage
from .pyramid import footprint, samples_through, shrunk_shot
from .resolution import at_resolution
from .structure import Structure
from .window import Window, anatomy_window


def objectives_at(
    scale: int, shots: Sequence[Shot], bodies: Sequence[Structure], motion: Motion, settings: RegistrationSettings
) -> tuple[Objective, ...]:
    """The objectives whose images have that many pixels along their longer side.

    Voxels are averaged to about a pixel as it is seen at the structures; X-rays are shrunk and cut to where the
    candidates have their structures. Where voxels are larger still, there is a second one, of X-rays blurred to the
    resolution of the CT (see resolution.py). Patients' X-rays are more alike there; pictures that were rendered from
    this very CT, at once as sharp as its DRRs, are so as they are.

    Args:
        scale: Pixels of the longer side; X-rays that have fewer stay as they are.
        shots: V X-rays.
        bodies: K structures.
        motion: All candidates.
        settings: As for the registration.

    Returns:
        One or two, with cameras taken as exact and without scatter.
    """
    seen = [(*shrunk_shot(shot, scale), motion.poses[:, :, view]) for view, shot in enumerate(shots)]
    widths = [footprint(camera, poses[:, 0], motion.pivots[0]) for _, _, camera, poses in seen]
    shrunk = tuple(body.with_voxels(settings.voxel * min(widths)) for body in bodies)
    samples = max(samples_through(volume) for volume in shrunk)
    as_they_are, matched = [], []
    for shot, (image, valid, camera, poses) in zip(shots, seen, strict=True):
        smaller = camera.width / shot.camera.width
        window = anatomy_window([body.volume for body in bodies], camera, poses) if settings.window else None
        window = window if window is not None and bool(window.of(valid).any()) else None
        as_they_are.append(_target(image, valid, camera, window, settings))
        blurred = at_resolution(image, valid, shrunk[0], camera, poses[:, 0], motion.pivots[0], smaller)
        matched.append(as_they_are[-1])
        if blurred[0] is not image:
            with suppress(InputError):  # a narrow field, of which the blur leaves nothing
                matched[-1] = _target(*blurred, camera, window, settings)
    return tuple(
        Objective(tuple(targets), shrunk, motion.pivots, samples, weights=settings.weights)
        for targets in ((as_they_are,) if matched == as_they_are else (as_they_are, matched))
    )


def _target(
    image: Tensor, valid: Tensor, camera: Camera, window: Window | None, settings: RegistrationSettings
) -> TargetImage:
    if window is not None:
        image, valid, camera = window.of(image), window.of(valid), window.camera(camera)
    return TargetImage.of(image, valid, camera, floor=settings.floor, similarity=settings.similarity)
