"""The trilinear interpolant at points: closed forms, gradients, and the kernel against torch."""

import pytest
import torch
from xraykit.render.volumes.interpolation import grid_field, trilinear_at

F64 = torch.float64


def random_grid() -> torch.Tensor:
    return torch.rand(3, 4, 5, 2, generator=torch.Generator().manual_seed(1), dtype=F64)


def test_value_at_a_voxel_centre_is_that_voxel() -> None:
    grid = random_grid()
    index = torch.tensor([[4.0, 0.0, 2.0], [1.0, 3.0, 0.0]], dtype=F64)
    torch.testing.assert_close(trilinear_at(grid, index, dtype=F64), torch.stack([grid[2, 0, 4], grid[0, 3, 1]]))


def test_linear_function_is_reproduced_between_voxels() -> None:
    k, j, i = torch.meshgrid(*(torch.arange(n, dtype=F64) for n in (3, 4, 5)), indexing="ij")
    grid = (2 * i - 3 * j + 0.5 * k + 1)[..., None]
    index = torch.tensor([[0.3, 2.7, 1.2], [3.9, 0.1, 0.6]], dtype=F64)
    expected = 2 * index[:, :1] - 3 * index[:, 1:2] + 0.5 * index[:, 2:] + 1
    torch.testing.assert_close(trilinear_at(grid, index, dtype=F64), expected)


def test_value_falls_to_zero_one_voxel_outside() -> None:
    grid = torch.ones(3, 4, 5, 1, dtype=F64)
    index = torch.tensor([[-0.25, 1.0, 1.0], [-1.0, 1.0, 1.0], [4.75, 1.0, 1.0], [70.0, 1.0, 1.0]], dtype=F64)
    torch.testing.assert_close(trilinear_at(grid, index, dtype=F64)[:, 0], torch.tensor([0.75, 0, 0.25, 0], dtype=F64))


def test_gradients_in_points_and_values_match_differences() -> None:
    grid, index = random_grid().requires_grad_(), torch.tensor([[0.3, 2.7, 1.2], [-0.4, 0.1, 0.6]], dtype=F64)
    torch.autograd.gradcheck(lambda g, x: trilinear_at(g, x, dtype=F64), (grid, index.requires_grad_()))


def test_field_takes_world_points() -> None:
    grid = random_grid()
    affine = torch.tensor([[0.0, 2.0, 0.0, 5.0], [3.0, 0.0, 0.1, 6.0], [0.0, 0.0, 4.0, 7.0], [0, 0, 0, 1]], dtype=F64)
    index = torch.tensor([[0.3, 2.7, 1.2]], dtype=F64)
    points = index @ affine[:3, :3].mT + affine[:3, 3]
    value = grid_field(grid, affine, dtype=F64)(points)
    torch.testing.assert_close(value, trilinear_at(grid, index, dtype=F64).mT)


@pytest.mark.parametrize("dtype", [torch.int16, torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("exact", [torch.float32, F64])
def test_the_kernel_gives_the_values_of_torch(dtype, exact) -> None:
    """Points in every cell, on planes of voxels, on the border, around it and far away; rows with room behind them."""
    random = torch.Generator().manual_seed(5)
    room = (torch.rand(4, 6, 9, 3, generator=random) * 60 - 30).to(dtype)
    grid = room[:3, :4, :5, :2]
    index = torch.rand(400, 3, generator=random, dtype=F64) * torch.tensor([8.0, 7.0, 6.0], dtype=F64) - 1.5
    index[::7] = index[::7].round()
    index[0], index[1] = torch.tensor([1e30, 0.0, 0.0], dtype=F64), torch.tensor([-1e30, 1.0, 1.0], dtype=F64)
    with torch.no_grad():
        fast = trilinear_at(grid, index, dtype=exact)
    slow = trilinear_at(grid, index.clone().requires_grad_(), dtype=exact).detach()
    assert fast.dtype == exact
    assert fast[:2].abs().max() == 0
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-4)
