"""Marches leap over the air around a body and over nothing else: islands in empty grids come out as without leaps."""

import numpy as np
import pytest
import torch
from support.scenes import random_scene
from xraykit.render.geometry.rays import voxel_rays
from xraykit.render.kernels.numba_cpu.bricks import EDGE, filled_bricks
from xraykit.render.rendering.march import march_label_bits, march_stack

SHAPE = (53, 40, 61)
FRAME = {"height": 15, "width": 13}


def rays_through(shape, views=3):
    volume, camera, pose = random_scene(views=views)
    rays = voxel_rays(camera, pose, volume.affine)[0]
    growth = torch.tensor(shape[::-1], dtype=rays.dtype) / torch.tensor(volume.shape[::-1], dtype=rays.dtype)
    rays = rays * growth
    rays[:, 2:] *= torch.tensor([camera.width, camera.height]).reshape(2, 1) / torch.tensor([13, 15]).reshape(2, 1)
    return rays


def islands():
    """Single voxels at corners and edges of the grid, and a small ball."""
    labels = torch.zeros(SHAPE, dtype=torch.uint8)
    labels[0, 0, 0], labels[-1, -1, -1], labels[0, -1, 30], labels[26, 20, 0] = 1, 2, 3, 4
    k, j, i = torch.meshgrid(*(torch.arange(n) for n in SHAPE), indexing="ij")
    labels[(k - 30) ** 2 + (j - 17) ** 2 + (i - 41) ** 2 < 30] = 40
    return labels


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int16])
@pytest.mark.parametrize("samples", [33, 150])
def test_islands_are_integrated_whole(dtype, samples):
    stack = torch.stack([islands().to(dtype) * n for n in (1, 2, 3, 4)], dim=3)
    rays = rays_through(SHAPE)
    images = [march_stack(stack, rays, b, **FRAME, samples=samples) for b in ("numba", "torch")]
    assert images[0].max() > 0
    torch.testing.assert_close(*images, rtol=2e-4, atol=2e-4 * float(images[1].max()))


def test_islands_and_the_background_about_them_have_the_bits_of_a_full_walk():
    rays = rays_through(SHAPE, views=5)
    fast, full = (march_label_bits(islands(), rays, b, **FRAME, words=2) for b in ("numba", "torch"))
    assert torch.equal(fast, full)
    assert int((fast[:, 1] >> 8 & 1).sum()) > 5  # the ball is seen
    assert bool((fast[:, 0] & 1).any())


def test_an_empty_grid_gives_zeros_and_background():
    rays = rays_through(SHAPE)
    empty = torch.zeros(*SHAPE, 4)
    assert not march_stack(empty, rays, "numba", **FRAME, samples=50).any()
    bits = [march_label_bits(empty[..., 0].to(torch.uint8), rays, b, **FRAME, words=1) for b in ("numba", "torch")]
    assert torch.equal(*bits)


@pytest.mark.parametrize("voxel", [(0, 0, 0), (17, 21, 30), (52, 39, 60)])
def test_a_voxel_fills_its_brick_and_the_ones_that_touch_it(voxel):
    grid = torch.zeros(SHAPE, dtype=torch.int16)
    grid[voxel] = -1
    places = np.argwhere(filled_bricks(grid))
    at = np.array(voxel) // EDGE
    assert np.abs(places - at).max() == 1
    last = -(-np.array(SHAPE) // EDGE) - 1
    assert len(places) == np.prod(np.minimum(at + 1, last) - np.maximum(at - 1, 0) + 1)
