"""Candidate starts from several sources as one list, without those that say the same."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xraykit.render import GeometryError, InputError
from xraykit.render.geometry import check_pose, full_precision, rigid_inverse

from ..refine.pose_distance import distinct, seen_points
from ..xray.shot import Shot


@full_precision
def joined_starts(starts: Sequence[Tensor]) -> Tensor:
    """All candidates one after the other, (S, V, 4, 4) float64 on the CPU.

    Args:
        starts: Candidates (S_i, V, 4, 4), camera to world, from as many sources as there are; best source first.

    Raises:
        GeometryError: None given, another shape, different numbers of views, or a pose that is no rigid motion.
    """
    shapes = [tuple(start.shape) for start in starts]
    fits = all(len(shape) == 4 and shape[2:] == (4, 4) and shape[0] and shape[1] for shape in shapes)
    if not shapes or not fits or len({shape[1] for shape in shapes}) != 1:
        raise GeometryError(f"starts must be (S, V, 4, 4) with one number of views V, got shapes {shapes}.")
    joined = torch.cat([start.detach().to("cpu", torch.float64) for start in starts])
    check_pose(joined.flatten(0, 1), name="starts")
    return joined


@full_precision
def distinct_starts(starts: Tensor, points: Tensor, *, tolerance: float = 10.0, most: int | None = None) -> Tensor:
    r"""The candidates of which none is nearly another; of two that are, the earlier stays.

    Two candidates are the same if in every view the points lie at nearly the same places of the camera's frame:
    rms over the points of |A^-1 X - B^-1 X| <= tolerance.

    Args:
        starts: (S, V, 4, 4), camera to world, the best first.
        points: What must be distinguished, (N, 3) world RAS [mm], for instance the corners of the volume.
        tolerance: [mm].
        most: Stop after this many.

    Returns:
        (S', V, 4, 4) in the order given.
    """

    def worst_view(first: Tensor, second: Tensor) -> Tensor:
        return (first - second).square().sum(-1).mean(-1).sqrt().amax(-1)

    seen = seen_points(starts, points.to(starts))  # (S, V, N, 3)
    return starts[distinct(seen, tolerance, worst_view, most=most)]


@full_precision
def spread_to_views(starts: Tensor, relative: Tensor) -> Tensor:
    """Candidates for V views whose places relative to each other are known, from candidates for the first.

    pose of view v = pose of view 0 @ relative[v]

    Args:
        starts: (S, 1, 4, 4), camera to world of the first view.
        relative: Camera v to camera 0, (V, 4, 4); the first is the identity.

    Returns:
        (S, V, 4, 4).

    Raises:
        GeometryError: A matrix that is no rigid motion.
        InputError: `starts` has more than one view, or the first relative pose is not the identity.
    """
    check_pose(relative, name="relative")
    if starts.ndim != 4 or starts.shape[1] != 1:
        raise InputError(f"starts must be (S, 1, 4, 4), of the first view alone, got {tuple(starts.shape)}.")
    if float((relative[0] - torch.eye(4).to(relative)).abs().max()) > 1e-6:
        raise InputError("relative[0] must be the identity: poses are relative to the first view's camera.")
    return starts.double() @ relative.to(starts.device, torch.float64)


def calibrated_places(shots: Sequence[Shot]) -> Tensor | None:
    """Camera of each shot to that of the first, (V, 4, 4) float64, where several were calibrated together; else None.

    Raises:
        InputError: Another shot was taken from the place of the first.
    """
    poses = [shot.pose for shot in shots if shot.pose is not None]
    if len(shots) < 2 or len(poses) < len(shots):
        return None
    stacked = torch.stack(poses)
    relative = rigid_inverse(stacked[:1]) @ stacked
    if bool(((relative[1:] - relative[0]).abs().amax(dim=(1, 2)) < 1e-6).any()):
        raise InputError("views together must be from different places, got cameras that state one place for several.")
    return relative
