"""The finite screw of a motion: about which axis a body has turned, how far, and how far it went along it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import check_pose, full_precision, parameters_from

LEAST = 2.0  # turns below this [degrees] do not tell where the axis lies


@dataclass(frozen=True, eq=False)
class FiniteScrew:
    """Screws of T motions, float64.

    Args:
        turn: (T,), 0 to 180 [degrees].
        shift: (T,), along the axis [mm]; where there is no axis, the length of the shift.
        axis: (T, 3), unit vectors; NaN where the turn is too small to have one.
        point: (T, 3), of the axis, nearest to where it was asked for [mm]; NaN likewise.
    """

    turn: Tensor
    shift: Tensor
    axis: Tensor
    point: Tensor


@full_precision
def finite_screw(motion: Float[Tensor, "times 4 4"], near: Float[Tensor, " 3"], *, least: float = LEAST) -> FiniteScrew:
    r"""The axis, turn and shift that bring a body from one pose to another.

    For x -> R x + t with R a turn by a about the unit vector n, and d = R p + t - p the way of the point p,

        shift = n . d,    point = p + (d - (n . d) n + cot(a / 2) n x d) / 2.

    Args:
        motion: (T, 4, 4) [mm], in a frame of one's choice.
        near: The point p [mm], (3,), in that frame.
        least: Turns below this have no axis [degrees].

    Raises:
        GeometryError: A matrix that is no rigid motion.

    Source: Spoor and Veldpaus, Rigid body motion calculated from spatial co-ordinates of markers, J Biomech 13 (1980),
        391-393, the helical axis, with the origin moved to p.
    """
    check_pose(motion, name="motion")
    motion, near = motion.double(), near.double()
    turn = parameters_from(motion[:, :3, :3], parameterization="so3_log_map")
    angle = turn.norm(dim=-1)
    has_axis = torch.rad2deg(angle) >= least
    axis = torch.where(has_axis[:, None], turn / angle.clamp_min(1e-12)[:, None], torch.nan)
    way = motion[:, :3, :3] @ near + motion[:, :3, 3] - near
    along = (axis * way).sum(-1)
    across = way - along[:, None] * axis
    point = near + (across + torch.linalg.cross(axis, way) / torch.tan(angle / 2)[:, None]) / 2
    return FiniteScrew(torch.rad2deg(angle), torch.where(has_axis, along, way.norm(dim=-1)), axis, point)
