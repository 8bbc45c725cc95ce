"""What is compared at one scale: X-rays and volumes of matching resolution, where there is anatomy."""

from __future__ import annotations

from collections.abc import Sequence

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .motion import Motion
from .objective import Objective, TargetImage
from .pyramid import footprint, samples_through, shrunk_shot
from .resolution import at_resolution
from .structure import Structure
from .window import anatomy_window


def objective_at(
    scale: int, shots: Sequence[Shot], bodies: Sequence[Structure], motion: Motion, settings: RegistrationSettings
) -> Objective:
    """The objective whose images have that many pixels along their longer side.

    Voxels are averaged to about a pixel as it is seen at the structures; X-rays are shrunk, blurred where voxels are
    still larger (see resolution.py) and cut to where the candidates have their structures.

    Args:
        scale: Pixels of the longer side; X-rays that have fewer stay as they are.
        shots: V X-rays.
        bodies: K structures.
        motion: All candidates.
        settings: As for the registration.

    Returns:
        With cameras taken as exact and without scatter.
    """
    seen = [(*shrunk_shot(shot, scale), motion.poses[:, :, view]) for view, shot in enumerate(shots)]
    widths = [footprint(camera, poses[:, 0], motion.pivots[0]) for _, _, camera, poses in seen]
    shrunk = tuple(body.with_voxels(settings.voxel * min(widths)) for body in bodies)
    targets = []
    for shot, (image, valid, camera, poses) in zip(shots, seen, strict=True):
        smaller = camera.width / shot.camera.width
        image, valid = at_resolution(image, valid, shrunk[0], camera, poses[:, 0], motion.pivots[0], smaller)
        if settings.window:
            window = anatomy_window([body.volume for body in bodies], camera, poses)
            if bool(window.of(valid).any()):
                image, valid, camera = window.of(image), window.of(valid), window.camera(camera)
        targets.append(TargetImage.of(image, valid, camera, floor=settings.floor, similarity=settings.similarity))
    samples = max(samples_through(volume) for volume in shrunk)
    return Objective(tuple(targets), shrunk, motion.pivots, samples, weights=settings.weights)
