"""World to image as one matrix, in shares of the image's width and height."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import Camera, GeometryError
from xraykit.render.geometry import check_pose, intrinsic_matrix, rigid_inverse


def image_projection(
    camera: Camera, pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"]
) -> Float[Tensor, "batch 3 4"]:
    """The image projection P of each view: (x z, y z, z) = P (world, 1).

        P = diag(1 / width, 1 / height, 1) K [R' | -R' t]

    with K the intrinsic matrix and R, t of the pose. x runs right and y down, as shares of the image: 0 is the left or
    top border, 1 the right or bottom one. z is the depth along the beam axis [mm]. The patch of a point on a grid of
    G x G is row floor(y G), column floor(x G).

    Args:
        camera: Intrinsics, shared or one per view; any principal point and pixel spacing.
        pose: Camera to world RAS [mm], (B, 4, 4) or (4, 4).

    Returns:
        (B, 3, 4) float64.

    Raises:
        GeometryError: The pose is no rigid motion, or the batch sizes disagree.
    """
    pose = (pose[None] if pose.ndim == 2 else pose).detach().to(torch.float64)
    check_pose(pose)
    intrinsic = intrinsic_matrix(camera, dtype=torch.float64, device=pose.device).detach()
    if len(intrinsic) != len(pose) and 1 not in (len(intrinsic), len(pose)):
        raise GeometryError(f"give one camera, or one for each of {len(pose)} poses, got {len(intrinsic)} cameras.")
    shares = pose.new_tensor([1 / camera.width, 1 / camera.height, 1.0])[:, None]
    return (shares * intrinsic) @ rigid_inverse(pose)[:, :3]


def change_projection(
    projection: Float[Tensor, "*#batch 3 4"], change: Float[Tensor, "*#batch 3 3"]
) -> Float[Tensor, "*batch 3 4"]:
    """The projection of an image that was cropped, zoomed, rolled, flipped or sheared: A P.

    Args:
        projection: Of the image before, (..., 3, 4).
        change: A (..., 3, 3), which takes (x, y, 1) of the old image to (x, y, 1) of the new one; last row 0 0 1.

    Returns:
        (..., 3, 4) float64.

    Raises:
        GeometryError: The last row of the change is another one.
    """
    change = change.to(projection.device, torch.float64)
    if not bool((change[..., 2, :] == change.new_tensor([0.0, 0.0, 1.0])).all()):
        raise GeometryError(
            f"the last row of a change of image must be 0 0 1, got {change[..., 2, :].tolist()}; "
            "give an affine map of x and y."
        )
    return change @ projection.to(torch.float64)


def detector_axes(projection: Float[Tensor, "3 4"]) -> Float[Tensor, "2 3"]:
    """A_x and A_y of an image projection, at right angles to the beam: x z = A_x . p + const where z is constant."""
    axis, rows = projection[2, :3], projection[:2, :3]
    return rows - (rows @ axis)[:, None] * axis
