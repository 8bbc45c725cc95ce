"""Poses over time made smooth, on SE(3), without following outliers."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import full_precision, rigid_inverse, rigid_matrix, se3_exp, se3_log

ROUNDS = 5  # robust reweightings
SMALLEST = 0.25  # mm: residuals are at least taken to be of this size, so that a perfect fit makes no outliers


@full_precision
def smoothed_poses(
    poses: Float[Tensor, "times 4 4"],
    times: Float[Tensor, " times"],
    *,
    width: float,
    pivot: Float[Tensor, " 3"],
    radius: float,
) -> Float[Tensor, "times 4 4"]:
    r"""Robust local regression of body poses: at each time a parabola through its neighbours, in the tangent space.

    At time t, with T the estimate so far, x_i = log(T^-1 T_i) are fitted by a + b d + c d^2, d = t_i - t, weighted by
    the tricube of |d| / width and by Tukey's biweight of the residuals over six times their median size (0.25 mm at
    least); T becomes T exp(a). A residual is its shift plus its turn times the radius [mm].

    Args:
        poses: Body to camera T_i, (T, 4, 4) [mm]; rows of NaN (lost frames) stay so and have no part.
        times: (T,), rising.
        width: Neighbours up to here count, in the unit of the times; positive.
        pivot: The middle of the body in its own frame [mm], about which turns are told.
        radius: Its reach from there [mm].

    Returns:
        (T, 4, 4) float64.

    Raises:
        InputError: A width that is not positive.

    Source: Cleveland, Robust locally weighted regression and smoothing scatterplots, J Am Stat Assoc 74 (1979),
        829-836, with a fixed width, carried to the tangent space of SE(3).
    """
    if not width > 0:
        raise InputError(f"the width of smoothing must be positive, got {width:g}.")
    known = torch.isfinite(poses).flatten(1).all(1)
    identity = torch.eye(3, dtype=torch.float64)
    centred = poses[known].double() @ rigid_matrix(identity, pivot.double())
    smooth, robust = centred.clone(), torch.ones(len(centred), dtype=torch.float64)
    apart = times[known].double()[None] - times[known].double()[:, None]
    near = (1 - (apart.abs() / width).clamp_max(1) ** 3) ** 3
    for _ in range(ROUNDS):
        offsets = se3_log(rigid_inverse(smooth)[:, None] @ centred[None])
        smooth = smooth @ se3_exp(_local_parabola(offsets, apart / width, (near * robust).clamp_min(1e-12)))
        left = se3_log(rigid_inverse(smooth) @ centred)
        size = left[:, :3].norm(dim=1) + radius * left[:, 3:].norm(dim=1)
        robust = (1 - (size / (6 * size.median().clamp_min(SMALLEST))).clamp_max(1) ** 2) ** 2
    found = poses.double().clone()
    found[known] = smooth @ rigid_matrix(identity, -pivot.double())
    return found


def _local_parabola(values: Tensor, apart: Tensor, weight: Tensor) -> Tensor:
    """The value at 0 of the weighted parabolas through values (N, N, 6) at (N, N); what few points leave open is 0."""
    basis = torch.stack([apart**power for power in range(3)], dim=-1)
    weighted = basis * weight[..., None]
    open_terms = torch.diag(torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)) * 1e-10
    normal = weighted.mT @ basis + open_terms * weight.sum(1)[:, None, None]
    return torch.linalg.solve(normal, weighted.mT @ values)[:, 0]
