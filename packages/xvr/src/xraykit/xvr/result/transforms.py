"""Poses for other programs: pose.json, and transforms that ITK and 3D Slicer load."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from xraykit.render import write_pose
from xraykit.render.converters import write_itk_transform
from xraykit.render.geometry import compose, rigid_inverse

from ..xray.names import file_stem
from .record import ResultRecord


def ct_motion(start: Tensor, pose: Tensor) -> Tensor:
    """How the CT moves, seen from a camera that stays where the start put it: start pose^-1, world to world.

    A point p of the CT is at pose^-1 p in the camera; the start's camera stands at `start` in the world.

    Args:
        start: camera_to_world (..., 4, 4) before the registration.
        pose: camera_to_world (..., 4, 4) after it.

    Returns:
        (..., 4, 4) RAS mm, rigid; the identity where nothing moved.
    """
    return compose(start, rigid_inverse(pose))


def structure_motion(reference: Tensor, pose: Tensor) -> Tensor:
    """How a structure has moved in the CT's world, relative to the structure of `reference`: reference pose^-1."""
    return ct_motion(reference, pose)


def write_transforms(folder: str | Path, record: ResultRecord) -> list[Path]:
    """Write the poses of a record for other programs.

    For each structure and view STEM (the structure's name is left out if there is only one, the view's likewise):

    - STEM.pose.json: camera and camera_to_world, for `xraykit render drr --pose`.
    - STEM.camera_to_world.tfm: in Slicer, the transform to put on a model drawn in camera coordinates.
    - STEM.ct_motion.tfm: in Slicer, the transform to put on the CT so that it lies as the X-ray shows it from a
      camera that stays where the start was.
    - STEM.relative_motion.tfm, from the second structure on: where the structure has gone while the first rests.

    The .tfm files hold LPS from-parent transforms as ITK wants them; Slicer shows their inverse, "to parent".

    Args:
        folder: An existing folder.
        record: The result.

    Returns:
        The files.

    Raises:
        OutputError: A file cannot be written.
    """
    folder = Path(folder)
    written: list[Path] = []
    for k, structure in enumerate(record.structures):
        for v, (view, camera) in enumerate(zip(record.views, record.cameras, strict=True)):
            pose = record.poses[k, v]
            parts = ([structure] if len(record.structures) > 1 else []) + ([view] if len(record.views) > 1 else [])
            stem = ".".join([*map(file_stem, parts), ""])
            target = folder / f"{stem}pose.json"
            write_pose(target, camera, pose)
            written.append(target)
            maps = {"camera_to_world": pose, "ct_motion": ct_motion(record.start_of(k)[v], pose)}
            if k > 0:
                maps["relative_motion"] = structure_motion(record.poses[0, v], pose)
            for name, matrix in maps.items():
                target = folder / f"{stem}{name}.tfm"
                write_itk_transform(target, matrix, direction="moving_to_fixed")
                written.append(target)
    return written
