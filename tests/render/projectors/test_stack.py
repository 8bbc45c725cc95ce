"""Several quantities in one march: the same numbers as one march for each."""

import pytest
import torch
from support.op_promises import QUICK, TRACED
from support.scenes import random_scene
from xraykit.render.geometry.rays import voxel_rays
from xraykit.render.kernels import ops
from xraykit.render.rendering.march import march, march_stack

SIZE = {"height": 7, "width": 9, "samples": 37}


def stack_and_rays(channels, *, dtype=torch.float32, views=2):
    volume, camera, pose = random_scene(views=views)
    generator = torch.Generator().manual_seed(2)
    stack = torch.rand(*volume.shape, channels, generator=generator).to(dtype)
    return stack, voxel_rays(camera, pose, volume.affine)[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_a_stack_equals_its_layers(channels, dtype):
    stack, rays = stack_and_rays(channels, dtype=dtype)
    together = march_stack(stack, rays, "numba", **SIZE)
    alone = march_stack(stack, rays, "torch", **SIZE)
    assert together.shape == (2, channels, 7, 9)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.int16, torch.float32, torch.float16, torch.bfloat16])
def test_two_quantities_deep_inside_a_grid(dtype):
    """Blocks of samples with all their voxels are summed by another rule than those at the border; here are both."""
    volume, camera, pose = random_scene(views=2)
    shape = (50, 60, 70)
    rays = voxel_rays(camera, pose, volume.affine)[0] * (torch.tensor(shape[::-1]) / torch.tensor(volume.shape[::-1]))
    stack = (torch.rand(*shape, 2, generator=torch.Generator().manual_seed(4)) * 100 - 30).to(dtype)
    size = {"height": 7, "width": 9, "samples": 175}
    images = [march_stack(stack, rays, b, **size) for b in ("numba", "torch")]
    torch.testing.assert_close(*images, rtol=1e-4, atol=1e-4 * float(images[1].abs().max()))


def test_a_batch_of_stack_images_equals_its_loop_bitwise():
    stack, rays = stack_and_rays(4, views=3)
    together = march_stack(stack, rays, "numba", **SIZE)
    assert torch.equal(together, torch.cat([march_stack(stack, r[None], "numba", **SIZE) for r in rays]))


def test_gradients_of_a_stack_agree_with_torch():
    stack, rays = stack_and_rays(3)
    grads = []
    for backend in ("numba", "torch"):
        s, r = stack.clone().requires_grad_(), rays.clone().requires_grad_()
        image = march_stack(s, r, backend, **SIZE)
        weight = torch.rand(image.shape, generator=torch.Generator().manual_seed(1))
        grads.append(torch.autograd.grad((image * weight).sum(), (s, r)))
    for fast, truth in zip(*grads, strict=True):
        assert (fast - truth).abs().max() <= 1e-3 * truth.abs().max()


def test_padded_rows_of_a_stack_change_nothing():
    stack, rays = stack_and_rays(4)
    wide = torch.zeros(stack.shape[0], stack.shape[1] + 1, stack.shape[2] + 3, 4)
    wide[:, : stack.shape[1], : stack.shape[2]] = stack
    padded = wide[:, : stack.shape[1], : stack.shape[2]]
    assert torch.equal(march_stack(padded, rays, "numba", **SIZE), march_stack(stack, rays, "numba", **SIZE))


def test_a_thin_stack_is_projected_as_by_torch():
    stack, rays = stack_and_rays(4)
    thin = stack[:1]
    images = [march_stack(thin, rays, b, **SIZE) for b in ("numba", "torch")]
    assert images[0].max() > 0
    torch.testing.assert_close(*images, rtol=1e-4, atol=1e-5)


def test_one_layer_is_the_plain_projection():
    stack, rays = stack_and_rays(1)
    plain = march(stack[..., 0].contiguous(), None, rays, "numba", method="trilinear", soft=False, **SIZE)
    torch.testing.assert_close(march_stack(stack, rays, "numba", **SIZE), plain, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # opcheck's own look
@pytest.mark.parametrize("promises", [QUICK, pytest.param(TRACED, marks=pytest.mark.slow)])
def test_the_stack_op_keeps_its_promises_to_torch(promises):
    stack, rays = stack_and_rays(4)
    arguments = (stack.requires_grad_(), rays.requires_grad_(), "numba", 7, 9, 20)
    torch.library.opcheck(ops.project_stack, arguments, test_utils=promises)
