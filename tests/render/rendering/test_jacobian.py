"""Derivatives of every pixel in pose and intrinsics agree with autograd and with central differences."""

from dataclasses import replace

import pytest
import torch
from xraykit.render import Camera, GeometryError, Volume, carm_pose, render, render_jacobian
from xraykit.render.geometry import rigid_matrix, se3_exp

METHODS = ("trilinear", "siddon", "joseph")


def scene() -> tuple[Volume, Camera, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mu = torch.rand(9, 8, 7, generator=generator, dtype=torch.float64)
    mu = torch.nn.functional.interpolate(mu[None, None], scale_factor=2, mode="trilinear")[0, 0]
    affine = torch.tensor([[3.0, 0.4, 0, -20], [-0.4, 3.0, 0, 15], [0, 0.1, 4, -30], [0, 0, 0, 1]], dtype=torch.float64)
    volume = Volume(mu, affine)
    camera = Camera(sdd=900.0, height=6, width=5, pixel_spacing=(9.0, 8.0), principal_point=(2.2, 3.1))
    pose = carm_pose(lao_rao=25.0, cra_cau=-10.0, roll=7.0, sod=600.0, isocenter=volume.center).double()
    return volume, camera, pose


def moved(pose: torch.Tensor, twist: torch.Tensor, pivot: torch.Tensor) -> torch.Tensor:
    there = rigid_matrix(torch.eye(3, dtype=torch.float64), pivot)
    back = rigid_matrix(torch.eye(3, dtype=torch.float64), -pivot)
    return there @ se3_exp(torch.cat([twist[3:], twist[:3]])) @ back @ pose


@pytest.mark.parametrize("method", METHODS)
def test_torch_derivatives_are_those_of_autograd(method):
    volume, camera, pose = scene()
    pivot = torch.tensor([5.0, -3.0, 8.0], dtype=torch.float64)
    found = render_jacobian(
        volume, camera, pose, pivot=pivot, intrinsics=True, method=method, samples=40, backend="torch"
    )

    def image(numbers: torch.Tensor) -> torch.Tensor:
        lens = replace(camera, sdd=numbers[6], principal_point=numbers[7:])
        return render(volume, lens, moved(pose, numbers[:6], pivot), method=method, samples=40, backend="torch")[0, 0]

    at = torch.tensor([0, 0, 0, 0, 0, 0, 900.0, 2.2, 3.1], dtype=torch.float64)
    truth = torch.autograd.functional.jacobian(image, at).permute(2, 0, 1)
    torch.testing.assert_close(found.image[0, 0], image(at))
    torch.testing.assert_close(torch.cat([found.twist, found.intrinsics], dim=1)[0], truth, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_kernels_bring_the_same_derivatives(method):
    pytest.importorskip("numba", reason="needs numba")
    volume, camera, pose = scene()
    options = {"pivot": (0.0, 2.0, 1.0), "intrinsics": True, "method": method, "samples": 40}
    slow = render_jacobian(volume, camera, pose, backend="torch", **options)
    fast = render_jacobian(replace(volume, mu=volume.mu.float()), camera, pose, backend="numba", **options)
    for name in ("image", "twist", "intrinsics"):
        a, b = getattr(fast, name).double(), getattr(slow, name)
        assert (a - b).abs().amax() < 2e-4 * b.abs().amax(), name


def test_int16_storage_and_a_batch_of_cameras():
    pytest.importorskip("numba", reason="needs numba")
    volume, camera, pose = scene()
    codes = replace(volume, mu=volume.mu.float()).stored_as(torch.int16)
    several = replace(camera, principal_point=torch.tensor([[2.2, 3.1], [1.0, 4.0]], dtype=torch.float64))
    both = render_jacobian(codes, several, pose.expand(2, 4, 4), pivot=(0, 0, 0), intrinsics=True, samples=60)
    second = replace(camera, principal_point=(1.0, 4.0))
    alone = render_jacobian(volume, second, pose, pivot=(0, 0, 0), intrinsics=True, samples=60, backend="torch")
    for name in ("image", "twist", "intrinsics"):
        a, b = getattr(both, name)[1:].double(), getattr(alone, name)
        assert (a - b).abs().amax() < 2e-3 * b.abs().amax(), name


def test_a_pose_that_is_no_rigid_motion_is_refused():
    volume, camera, pose = scene()
    with pytest.raises(GeometryError, match="rigid motion"):
        render_jacobian(volume, camera, pose * 2, pivot=(0, 0, 0))
    with pytest.raises(GeometryError, match=r"\(B, 4, 4\)"):
        render_jacobian(volume, camera, pose[0], pivot=(0, 0, 0))
