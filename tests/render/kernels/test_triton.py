"""The Triton kernels against the torch projectors: interpreted on every machine, compiled where there is CUDA.

Worst error seen interpreted: 4e-7 of the maximum in images, 2e-6 in gradients.
"""

from importlib.util import find_spec

import pytest
import torch
from support.grids import each_once
from xraykit.render.projectors.common import Labelling
from xraykit.render.projectors.joseph import joseph
from xraykit.render.projectors.siddon import siddon
from xraykit.render.projectors.trilinear import trilinear
from xraykit.render.rendering.march import march_label_bits

pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason="needs triton: pip install xraykit-render[triton]")

IMAGE, GRADIENT = 1e-5, 1e-4  # largest error over the largest value
HEIGHT, WIDTH = 3, 7  # part of a tile: the interpreter takes as long for a tile whatever it shows
SHAPE = (5, 7, 6)
METHODS = ["trilinear", "siddon", "joseph"]
LABELLINGS = [None, "hard", "soft"]
# Even, so that no sample falls by symmetry on the middle of the grid, where labels and slopes jump. One lane takes all
# of FEW samples; MANY are shared out, unevenly.
FEW, MANY = 4, 34


def view(source, centre, right, down):
    """Rays (4, 3) from a source to a detector around `centre`, spanned by the vectors between pixels."""
    source, centre, right, down = (torch.tensor(x, dtype=torch.float64) for x in (source, centre, right, down))
    corner = centre - source - right * (WIDTH / 2) - down * (HEIGHT / 2)
    return torch.stack([source, corner, right, down])


# Crooked numbers: a ray through an edge or a sample on a voxel's centre would have two one-sided derivatives.
VIEWS = {
    "oblique, outer rays miss": view([-18.3, 9.1, 7.2], [19.4, -2.3, -4.1], [0.31, 1.52, -0.4], [0.7, -0.3, 2.9]),
    "along i, central ray parallel": view([-20.3, 3.27, 2.21], [25.1, 3.27, 2.21], [0.0, 1.07, 0.0], [0.0, 0.0, 1.93]),
    "along -j, central ray parallel": view([2.61, 30.7, 1.73], [2.61, -20.9, 1.73], [1.03, 0, 0], [0.0, 0.0, 1.97]),
    "along k, central ray parallel": view([2.61, 3.27, -30.7], [2.61, 3.27, 20.9], [0.0, -1.07, 0.0], [1.93, 0, 0]),
    "source inside": view([2.21, 3.13, 1.87], [15.43, -12.31, 9.11], [0.91, 0.83, 0.13], [0.21, 0.31, 2.53]),
    "detector inside": view([-15.23, -11.37, 14.09], [2.71, 3.23, 1.97], [0.29, -0.23, 0.11], [0.13, 0.23, 0.47]),
}
ALL = torch.stack(list(VIEWS.values()))
AWAY = view([-18.3, 9.1, 7.2], [-60.4, 20.3, 9.1], [0.31, 1.52, -0.4], [0.7, -0.3, 2.9])[None]


def volume(shape=SHAPE, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def label_map(shape=SHAPE, highest=3, dtype=torch.uint8):
    return torch.randint(0, highest + 1, shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def upstream(rays, channels):
    return torch.randn(len(rays), channels, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2))


def reference(
    mu, rays, *, method, samples=FEW, labels=None, labelling=None, channels=1, grad=None, size=(HEIGHT, WIDTH)
):
    """Image (B, C, H, W) of the torch projectors; with grad, the gradients (B, 6, H, W) of the rays and of mu too."""
    height, width = size
    u = torch.arange(width, dtype=torch.float64) + 0.5
    v = torch.arange(height, dtype=torch.float64)[:, None] + 0.5
    source, corner, du, dv = (rays[:, n, None, None, :] for n in range(4))
    direction = corner + u[None, None, :, None] * du + v[None, :, :, None] * dv
    ray = torch.cat([source.expand_as(direction), direction], dim=-1).reshape(-1, 6).requires_grad_()
    mu = mu.clone().requires_grad_()
    options = {"labelling": None if labelling is None else Labelling(labels, channels, labelling == "soft")}
    if method == "trilinear":
        options["samples"] = samples
    projector = {"trilinear": trilinear, "siddon": siddon, "joseph": joseph}[method]
    image = projector(mu, ray[:, :3], ray[:, 3:], **options).reshape(-1, len(rays), height, width).transpose(0, 1)
    if grad is None:
        return image.detach()
    (image * grad).sum().backward()
    return image.detach(), ray.grad.reshape(len(rays), height, width, 6).permute(0, 3, 1, 2), mu.grad


def image_of(kernels, mu, rays, *, method, labels=None, channels=1, soft=False, samples=FEW):
    size = {"height": HEIGHT, "width": WIDTH}
    return kernels("project", mu, labels, rays, method=method, **size, samples=samples, channels=channels, soft=soft)


def jacobian_of(kernels, mu, rays, *, method, samples=FEW):
    size = {"height": HEIGHT, "width": WIDTH}
    return kernels("project_with_jacobian", mu, rays, method=method, **size, samples=samples)


def assert_close(actual, expected, tolerance):
    """Every view within tolerance of its largest value (gradients: of each component's largest value)."""
    assert actual.shape == expected.shape
    assert actual.dtype == torch.float32
    size = expected.abs().amax(dim=(-2, -1), keepdim=True).clamp(min=0.01 * float(expected.abs().max()))
    assert float(((actual - expected) / size).abs().max()) < tolerance


@pytest.mark.parametrize("method", METHODS)
def test_image_and_its_jacobian_equal_torch(kernels, method):
    ones = torch.ones(len(ALL), 1, HEIGHT, WIDTH)
    expected, derivative, _ = reference(volume(), ALL, method=method, grad=ones)
    image, jacobian = jacobian_of(kernels, volume(), ALL, method=method)
    assert_close(image, expected, IMAGE)
    assert_close(jacobian, derivative, GRADIENT)
    assert_close(image_of(kernels, volume(), ALL, method=method), expected, IMAGE)


@pytest.mark.parametrize("method, size", [("trilinear", (9, 17)), ("siddon", (5, 9)), ("joseph", (5, 9))])
def test_two_tiles_by_two_equal_torch(kernels, method, size):
    rays, (height, width) = ALL[:1].clone(), size
    rays[:, 1] -= rays[:, 2] * ((width - WIDTH) / 2) + rays[:, 3] * ((height - HEIGHT) / 2)  # on the volume's centre
    expected, derivative, for_mu = reference(
        volume(), rays, method=method, size=size, grad=torch.ones(1, 1, height, width)
    )
    options = {"method": method, "samples": FEW}
    image, jacobian = kernels("project_with_jacobian", volume(), rays, height=height, width=width, **options)
    assert_close(image, expected, IMAGE)
    assert_close(jacobian, derivative, GRADIENT)
    back = kernels("backproject", None, rays, torch.ones_like(image), shape=SHAPE, soft=False, **options)
    assert_close(back, for_mu, GRADIENT)
    if method == "siddon":
        sizes = {"height": height, "width": width, "words": 1}
        bits = march_label_bits(label_map(), rays, "torch", **sizes)
        assert torch.equal(kernels("label_bits", label_map(), rays, **sizes), bits)


def test_stack_equals_its_layers(kernels):
    layers, rays = [volume(seed=seed) for seed in (0, 3)], ALL[[0, 4]]
    size = {"height": HEIGHT, "width": WIDTH, "samples": FEW}
    together = kernels("project_stack", torch.stack(layers, dim=3), rays, **size)
    alone = [image_of(kernels, layer, rays, method="trilinear") for layer in layers]
    assert torch.equal(together, torch.cat(alone, dim=1))


@pytest.mark.parametrize("method, labelling", each_once(METHODS, ["hard", "soft"]))
def test_label_channels_equal_torch_and_unknown_labels_are_dropped(kernels, method, labelling):
    rays, labels = ALL[[0, 1, 4]], label_map(highest=3)
    expected = reference(volume(), rays, method=method, labels=labels, labelling=labelling, channels=3)
    options = {"method": method, "labels": labels, "channels": 3, "soft": labelling == "soft"}
    assert_close(image_of(kernels, volume(), rays, **options), expected, IMAGE)


@pytest.mark.parametrize("method, labelling", each_once(METHODS, LABELLINGS))
def test_gradients_equal_torch_and_the_adjoint_is_one(kernels, method, labelling):
    rays, channels = ALL[:2], 1 if labelling is None else 3
    grad, labels = upstream(rays, channels), None if labelling is None else label_map()
    options = {"method": method, "samples": FEW, "soft": labelling == "soft"}
    image, for_rays, for_mu = reference(
        volume(), rays, method=method, labels=labels, labelling=labelling, channels=channels, grad=grad
    )
    assert_close(kernels("ray_gradient", volume(), labels, rays, grad, **options), for_rays, GRADIENT)
    back = kernels("backproject", labels, rays, grad, **options, shape=SHAPE)
    assert_close(back, for_mu, GRADIENT)
    there = (image.double() * grad).sum()
    assert float(abs(there - (volume().double() * back).sum()) / (image * grad).abs().sum()) < 1e-5


def test_samples_shared_out_among_lanes_equal_torch(kernels):
    rays, grad = ALL[[0, 4]], upstream(ALL[:2], 1)
    expected, for_rays, for_mu = reference(volume(), rays, method="trilinear", samples=MANY, grad=grad)
    options = {"method": "trilinear", "samples": MANY, "soft": False}
    assert_close(image_of(kernels, volume(), rays, method="trilinear", samples=MANY), expected, IMAGE)
    even = reference(volume(), rays, method="trilinear", samples=MANY + 2)
    assert_close(image_of(kernels, volume(), rays, method="trilinear", samples=MANY + 2), even, IMAGE)
    assert_close(kernels("ray_gradient", volume(), None, rays, grad, **options), for_rays, GRADIENT)
    assert_close(kernels("backproject", None, rays, grad, **options, shape=SHAPE), for_mu, GRADIENT)


def test_label_bits_equal_torch_in_every_word(kernels):
    labels = label_map(highest=69)
    bits = kernels("label_bits", labels, ALL, height=HEIGHT, width=WIDTH, words=3)
    expected = march_label_bits(labels, ALL, "torch", height=HEIGHT, width=WIDTH, words=3)
    assert bits.dtype == torch.int32
    assert torch.equal(bits, expected)
    assert bool(expected.any(dim=-1).any(dim=-1).any(dim=0).all())


@pytest.mark.parametrize("method", METHODS)
def test_batch_has_the_bits_of_single_views(kernels, method):
    rays, labels = ALL[[0, 4]], label_map()
    image, jacobian = jacobian_of(kernels, volume(), rays, method=method)
    options = {"method": method, "labels": labels, "channels": 4}
    channels = image_of(kernels, volume(), rays, **options)
    for b in range(2):
        one, derivative = jacobian_of(kernels, volume(), rays[b : b + 1], method=method)
        assert torch.equal(one[0], image[b])
        assert torch.equal(derivative[0], jacobian[b])
        assert torch.equal(image_of(kernels, volume(), rays[b : b + 1], **options)[0], channels[b])


@pytest.mark.parametrize("method, dtype", each_once(METHODS, [torch.float16, torch.bfloat16, torch.int16]))
def test_narrow_storage_has_the_bits_of_its_float32_values(kernels, method, dtype):
    stored = ((volume() - 0.5) * 60000).to(dtype)
    one = jacobian_of(kernels, stored, ALL[:1], method=method)
    other = jacobian_of(kernels, stored.float(), ALL[:1], method=method)
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])
    assert bool(one[0].any())


@pytest.mark.parametrize("method, laid_out", each_once(METHODS, ["padded", "turned"]))
def test_padded_rows_and_turned_memory_change_nothing(kernels, method, laid_out):
    plain = volume()
    padded = torch.full((5, 8, 8), float("nan"))[:, :7, :6].copy_(plain)
    turned = plain.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert padded.stride() == (64, 8, 1)
    assert turned.stride(2) != 1
    labels = label_map()
    options = {"method": method, "labels": labels, "channels": 4, "soft": True}
    image, jacobian = (
        image_of(kernels, plain, ALL[:1], method=method),
        jacobian_of(kernels, plain, ALL[:1], method=method)[1],
    )
    channels = image_of(kernels, plain, ALL[:1], **options)
    mu = {"padded": padded, "turned": turned}[laid_out]
    assert torch.equal(image_of(kernels, mu, ALL[:1], method=method), image)
    assert torch.equal(jacobian_of(kernels, mu, ALL[:1], method=method)[1], jacobian)
    assert torch.equal(image_of(kernels, mu, ALL[:1], **options), channels)


@pytest.mark.parametrize("method, shape", each_once(METHODS, [(1, 7, 6), (5, 1, 6), (5, 7, 1)]))
def test_single_voxel_axes_equal_torch(kernels, method, shape):
    mu, rays = volume(shape), ALL[:1]
    middle = (torch.tensor(SHAPE[::-1]) - torch.tensor(shape[::-1])).double() / 2
    rays = torch.cat([rays[:, :1] - middle, rays[:, 1:]], dim=1)  # keep the view on the volume's centre
    grad = upstream(rays, 1)
    expected, for_rays, for_mu = reference(mu, rays, method=method, grad=grad)
    options = {"method": method, "samples": FEW, "soft": False}
    assert bool(expected.any())
    assert_close(image_of(kernels, mu, rays, method=method), expected, IMAGE)
    assert_close(kernels("ray_gradient", mu, None, rays, grad, **options), for_rays, GRADIENT)
    assert_close(kernels("backproject", None, rays, grad, **options, shape=shape), for_mu, GRADIENT)


@pytest.mark.parametrize("method", METHODS)
def test_rays_that_miss_give_zeros_and_finite_derivatives(kernels, method):
    image, jacobian = jacobian_of(kernels, volume(), AWAY, method=method)
    assert not bool(image.any())
    assert not bool(jacobian.any())


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64, torch.bool])
def test_any_integer_holds_labels(kernels, dtype):
    options = {"method": "siddon", "channels": 2}
    expected = image_of(kernels, volume(), ALL[:1], labels=label_map(highest=1), **options)
    assert torch.equal(
        image_of(kernels, volume(), ALL[:1], labels=label_map(highest=1, dtype=dtype), **options), expected
    )


@pytest.mark.parametrize("method", METHODS)
def test_no_views_give_empty_results(kernels, method):
    image, jacobian = jacobian_of(kernels, volume(), ALL[:0], method=method)
    assert image.shape == (0, 1, HEIGHT, WIDTH)
    assert jacobian.shape == (0, 6, HEIGHT, WIDTH)
    grad = torch.zeros(0, 1, HEIGHT, WIDTH)
    back = kernels("backproject", None, ALL[:0], grad, method=method, samples=FEW, soft=False, shape=SHAPE)
    assert not bool(back.any())
    assert kernels("label_bits", label_map(), ALL[:0], height=HEIGHT, width=WIDTH, words=1).shape == (
        0,
        1,
        HEIGHT,
        WIDTH,
    )


def test_adjoint_refuses_deterministic_algorithms(kernels):
    options = {"method": "siddon", "samples": FEW, "soft": False, "shape": SHAPE}
    with pytest.raises((RuntimeError, ValueError), match=r"deterministic .* use backend='torch'"):
        kernels("deterministically", "backproject", None, ALL[:1], upstream(ALL[:1], 1), **options)
