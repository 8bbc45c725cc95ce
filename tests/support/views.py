"""Views for converter tests: an asymmetric camera, several poses around a patient, and the corners of a box in it."""

import torch
from support.motions import random_rotations
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import project

CENTER = torch.tensor([12.0, -34.0, 560.0], dtype=torch.float64)


def camera(*, height: int = 30, width: int = 41) -> Camera:
    """Odd and even size, unequal spacings, principal point off the centre: nothing cancels."""
    return Camera(1020.0, height, width, pixel_spacing=(3.0, 2.5), principal_point=(17.25, 18.5))


def poses(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Four oblique C-arm views about CENTER, with roll and offset."""
    angles = torch.tensor([[0, 0, 0], [35, -20, 10], [-120, 30, 170], [178, 5, -60]], dtype=dtype)
    return carm_pose(
        lao_rao=angles[:, 0],
        cra_cau=angles[:, 1],
        roll=angles[:, 2],
        sod=torch.tensor([700.0, 750.0, 800.0, 650.0], dtype=dtype),
        isocenter=CENTER.to(dtype),
        offset=torch.tensor([10.0, -20.0, 5.0], dtype=dtype),
    )


def box(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Eight corners of an oblique box about CENTER, (8, 3)."""
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    corners = torch.cartesian_prod(40 * ends, 55 * ends, 70 * ends) @ random_rotations(1, seed=5)[0].T
    return (corners + CENTER).to(dtype)


def pixels(points: torch.Tensor, view: Camera, pose: torch.Tensor, *, mirrored: bool = False) -> torch.Tensor:
    """Where points appear in the peer's image, (B, N, 2)."""
    uv, depth, _ = project(points, view, pose)
    assert bool((depth > 0).all())
    return torch.stack([view.width - uv[..., 0], uv[..., 1]], dim=-1) if mirrored else uv


def assert_same_view(first: tuple, second: tuple, *, atol: float = 1e-6) -> None:
    """Cameras and poses agree in every number."""
    (camera_1, pose_1), (camera_2, pose_2) = first[:2], second[:2]
    assert (camera_1.height, camera_1.width) == (camera_2.height, camera_2.width)
    torch.testing.assert_close(pose_1, pose_2, atol=atol, rtol=0)
    kind = {"dtype": pose_1.dtype, "device": pose_1.device}
    for one, two in zip(camera_1.tensors(**kind), camera_2.tensors(**kind), strict=True):
        one, two = torch.broadcast_tensors(one, two)
        torch.testing.assert_close(one, two, atol=atol, rtol=0)
