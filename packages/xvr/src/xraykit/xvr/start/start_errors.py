"""Start poses drawn like the initial errors of the xvr paper: little across the beam, much along it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import GeometryError, InputError
from xraykit.render.geometry import check_pose, full_precision, rigid_inverse, rigid_matrix, rotation_from


@dataclass(frozen=True)
class StartErrors:
    r"""A distribution of misplacements of the patient, as seen by the camera.

    Draw, in the camera's axes (x right, y down, z along the beam),

        w ~ level * clip(N(0, rotation), -rotation_limit, rotation_limit)    about each of x, y, z [degrees],
        d ~ level * (N(0, in_plane), N(0, in_plane), N(0, depth))            along x, y, z [mm].

    With p the centre in the camera frame, a point x of the patient is then seen at exp([w]) (x - p) + p + d: turned
    about the centre by the rotation vector w, then shifted by d. So the centre's true target registration error is
    |d|, and w adds that of a turn about it.

    Args:
        level: Multiplies everything, limit included: 1 is the paper's initial error, 2 and 4 ask for more.
        rotation: Standard deviation about each axis [degrees].
        rotation_limit: Draws beyond are set to this [degrees].
        depth: Standard deviation along the beam [mm].
        in_plane: Standard deviation along x and y each [mm].

    Raises:
        InputError: A number that is negative or not finite.

    Source: the spread of initial errors in the xvr paper.
    """

    level: float = 1.0
    rotation: float = 2.5
    rotation_limit: float = 5.0
    depth: float = 15.0
    in_plane: float = 1.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"start errors need {name} >= 0 and finite, got {name}={value}.")

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draws (count, 6) float64: w about x, y, z [degrees], then d along x, y, z [mm]."""
        draws = torch.randn(count, 6, dtype=torch.float64, generator=generator)
        turn = (self.rotation * draws[:, :3]).clamp(-self.rotation_limit, self.rotation_limit)
        shift = draws[:, 3:] * draws.new_tensor([self.in_plane, self.in_plane, self.depth])
        return self.level * torch.cat([turn, shift], dim=-1)

    def perturb(self, pose: Tensor, center: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One start pose for each true pose.

        Args:
            pose: True camera to world [mm], (B, 4, 4).
            center: The point the patient turns about, world RAS [mm], (3,): the isocentre or `volume.center`.
            generator: Where the draws come from; the same state gives the same starts.

        Returns:
            camera_to_world of the starts, (B, 4, 4) float64.
        """
        return displaced_pose(pose, center, self.sample(len(pose), generator))


@full_precision
def displaced_pose(pose: Tensor, center: Tensor, displacement: Tensor) -> Tensor:
    """The pose from which the camera sees the patient displaced.

    Args:
        pose: Camera to world [mm], (B, 4, 4).
        center: Turning point, world RAS [mm], (3,).
        displacement: (B, 6): rotation vector w [degrees] and shift d [mm] in the camera's axes, as `StartErrors`
            explains.

    Returns:
        (B, 4, 4) float64: C' = C M^-1 with M x = exp([w]) (x - p) + p + d and p = C^-1 center.

    Raises:
        GeometryError: Poses that are not rigid, or another number of displacements than poses.
    """
    pose = check_pose(pose.double())
    if displacement.shape != (len(pose), 6):
        raise GeometryError(f"displacement must be ({len(pose)}, 6) like the poses, got {tuple(displacement.shape)}.")
    R = rotation_from(torch.deg2rad(displacement[:, :3].double()), parameterization="so3_log_map")
    p = (rigid_inverse(pose) @ torch.cat([center.double(), pose.new_ones(1)]))[:, :3]
    motion = rigid_matrix(R, p + displacement[:, 3:] - (R @ p[..., None])[..., 0])
    return pose @ rigid_inverse(motion)
