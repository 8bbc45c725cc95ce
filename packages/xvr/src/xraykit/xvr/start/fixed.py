"""Starts that the user states: C-arm angles, a named view, or pose.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import Camera, GeometryError, InputError, Volume, carm_pose, read_pose, standard_view
from xraykit.render.geometry import VIEWS, carm_angles, carm_parameters, full_precision
from xraykit.render.views import STANDARD_VIEWS

ISOCENTER_SHARE = 0.7
"""Where the isocentre lies between source and detector when nobody says."""
Numbers = float | Sequence[float]


@full_precision
def starts_from_angles(
    isocenter: Tensor,
    *,
    sod: Numbers,
    lao_rao: Numbers = 0.0,
    cra_cau: Numbers = 0.0,
    roll: Numbers = 0.0,
    offset: Sequence[float] = (0.0, 0.0, 0.0),
) -> Tensor:
    """One candidate from C-arm angles; a number each, or one for each of V views.

    Args:
        isocenter: The point that the C-arm turns about, (3,) world RAS [mm], for instance `volume.center`.
        sod: Source to isocentre [mm].
        lao_rao: LAO positive [degrees]; 0 is PA (the patient faces the detector), 180 is AP.
        cra_cau: Cranial positive [degrees].
        roll: About the beam [degrees].
        offset: Of the whole C-arm along world axes [mm].

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        GeometryError: A number that is not finite, sod that is not positive, or lists of different lengths.
    """
    named = {"sod": sod, "lao_rao": lao_rao, "cra_cau": cra_cau, "roll": roll}
    tensors = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in named.items()}
    where = torch.as_tensor(isocenter).detach().to("cpu", torch.float64)
    return carm_pose(**tensors, isocenter=where, offset=torch.as_tensor(offset, dtype=torch.float64))[None]


@full_precision
def starts_from_views(
    names: Sequence[str], volume: Volume, cameras: Sequence[Camera], *, sod: float | None = None
) -> Tensor:
    """One candidate from the names of V views: "ap", "lateral_left" (about the volume's centre), or a standard view.

    A standard view ("pelvis_ap", see `STANDARD_VIEWS`) aims at anatomy and needs a volume with named labels; only its
    direction and target are taken.

    Args:
        names: One for each view.
        volume: The patient.
        cameras: Intrinsics of each view.
        sod: Source to the volume's centre, along the beam [mm]; None is 0.7 sdd.

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        InputError: No view has this name, there are not as many names as cameras, or labels are missing.
        GeometryError: sod is not between 0 and sdd.
    """
    if len(names) != len(cameras):
        raise InputError(f"give one view name for each X-ray, got {len(names)} for {len(cameras)}.")
    return torch.cat([_view(*pair, volume, sod) for pair in zip(names, cameras, strict=True)])[None]


@full_precision
def starts_from_pose_files(paths: Sequence[str | Path]) -> Tensor:
    """One candidate from pose.json, a file for each of V views; only the pose is taken, not the camera.

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        FileError: A file is missing or no pose.json.
        InputError: No file is given.
    """
    if not paths:
        raise InputError("give one pose.json for each X-ray, got none.")
    return torch.cat([read_pose(path)[1] for path in paths])[None]


def default_sod(camera: Camera, sod: float | None = None) -> float:
    """`sod` itself once it is known to lie between source and detector; 0.7 sdd where it is None."""
    sdd = float(camera.tensors(dtype=torch.float64, device="cpu")[0][0])
    sod = ISOCENTER_SHARE * sdd if sod is None else sod
    if not 0 < sod < sdd:
        raise GeometryError(f"sod must lie between 0 and sdd, got sod={sod:g} mm and sdd={sdd:g} mm.")
    return sod


def _view(name: str, camera: Camera, volume: Volume, sod: float | None) -> Tensor:
    """The pose (1, 4, 4) of one named view."""
    distance = torch.tensor(default_sod(camera, sod), dtype=torch.float64)
    if name in VIEWS:
        v = VIEWS[name]
        return carm_pose(lao_rao=v.lao_rao, cra_cau=v.cra_cau, roll=v.roll, sod=distance, isocenter=volume.center)
    if name not in STANDARD_VIEWS:
        raise InputError(
            f"no view is called {name!r}; choose one of {', '.join(VIEWS)}, or a standard view such as "
            f"{', '.join(list(STANDARD_VIEWS)[:3])} (see `xraykit render views`)."
        )
    plan = standard_view(volume, name)
    angles = carm_angles(plan.pose)
    # The point on the central ray level with the volume's centre stays in the middle of the image.
    offset = carm_parameters(plan.pose, isocenter=volume.center)["offset"]
    return carm_pose(
        lao_rao=angles.lao_rao,
        cra_cau=angles.cra_cau,
        roll=angles.roll,
        sod=distance,
        isocenter=volume.center,
        offset=offset,
    )
