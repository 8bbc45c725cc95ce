"""Scatter: the knob on a slab, the convolution at full resolution, and what it never does."""

import math

import numpy as np
import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.physics.scatter import ScatterKernel, estimate_scatter


def disc(size: int = 96, level: float = 0.2, *, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    at = torch.arange(size, dtype=dtype) - size / 2 + 0.5
    inside = (at[:, None] ** 2 + at**2 < (size / 3) ** 2).to(dtype)
    return (1 - (1 - level) * inside)[None, None]


@pytest.mark.parametrize("knob", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("level", [0.5, 0.05, 0.01])
def test_scatter_to_primary_on_a_slab_is_the_knob(knob, level):
    slab = torch.full((1, 1, 128, 128), level)
    scatter = estimate_scatter(slab, knob, pixel_spacing=3.0)
    assert (scatter.mean() / slab.mean()).item() == pytest.approx(knob, rel=0.02)
    fraction = scatter / (scatter + slab)
    assert fraction.mean().item() == pytest.approx(knob / (1 + knob), rel=0.1)  # borders lose some


def test_far_from_the_borders_of_a_wide_slab_every_pixel_has_the_knob():
    slab = torch.full((1, 1, 100, 100), 0.1, dtype=torch.float64)
    scatter = estimate_scatter(slab, 1.5, pixel_spacing=4.0, kernel=ScatterKernel((2.0, 4.0), (0.5, 0.5)))
    inner = (scatter / slab)[..., 20:80, 20:80]
    assert inner.min().item() == pytest.approx(1.5, rel=0.02)
    assert (inner.max() / inner.min()).item() == pytest.approx(1.0, abs=1e-3)


def test_the_knob_holds_over_the_object_and_not_over_the_open_field():
    image = disc()
    scatter = estimate_scatter(image, 0.8, pixel_spacing=2.0)
    is_object = image < 0.95
    assert (scatter[is_object].sum() / image[is_object].sum()).item() == pytest.approx(0.8, rel=1e-9)
    assert 0 < scatter[0, 0, 0, 0] < scatter[0, 0, 48, 48]


def test_coarse_cells_agree_with_the_convolution_at_full_resolution():
    image, spacing, kernel = disc(level=0.3), (1.9, 2.3), ScatterKernel((20.0, 60.0), (0.4, 0.6))
    image[..., 30:50, 20:60] *= 0.05
    potential = (-image * image.log())[0, 0].numpy()
    full = np.zeros_like(potential)
    for sigma, weight in zip(kernel.widths, kernel.weights, strict=True):
        across, along = (
            np.diff([[0.5 * math.erf((e - c - 0.5) * step / sigma / 2**0.5) for e in range(97)] for c in range(96)])
            for step in spacing
        )
        full += weight * across @ potential @ along.T
    scatter = estimate_scatter(image, 1.0, pixel_spacing=spacing, kernel=kernel)[0, 0].numpy()
    is_object = image[0, 0].numpy() < 0.95
    full *= image[0, 0].numpy()[is_object].sum() / full[is_object].sum()
    assert np.abs(scatter / full - 1).max() < 0.01
    assert np.abs(scatter - full).max() < 0.005 * full.max()


def test_an_open_field_and_a_zero_knob_scatter_nothing():
    assert not estimate_scatter(torch.ones(1, 1, 20, 20), 2.0, pixel_spacing=1.0).any()
    assert not estimate_scatter(disc(), 0.0, pixel_spacing=1.0).any()


def test_scatter_is_smooth_where_the_image_is_not():
    image = torch.where(torch.arange(200) % 2 == 0, 0.1, 0.4).expand(1, 1, 200, 200)
    scatter = estimate_scatter(image, 1.0, pixel_spacing=1.0)
    assert scatter.diff(dim=-1).abs().max() < 0.02 * scatter.max()


def test_a_collimated_field_scatters_less_into_its_shadow():
    image = torch.full((1, 1, 80, 80), 0.1)
    field = torch.zeros(80).index_fill(0, torch.arange(20, 60), 1.0)
    open_, closed = (estimate_scatter(image, 1.0, pixel_spacing=4.0, field=f) for f in (None, field))
    assert closed[..., 40, 40] / closed[..., 40, 2] > 1.3 * open_[..., 40, 40] / open_[..., 40, 2]


def test_a_batch_equals_its_loop_and_may_mix_spacings():
    images = torch.cat([disc(level=0.2), disc(level=0.5)])
    spacing = torch.tensor([[2.0, 2.0], [1.5, 2.0]])
    both = estimate_scatter(images, 1.0, pixel_spacing=spacing)
    for b in range(2):
        alone = estimate_scatter(images[b : b + 1], 1.0, pixel_spacing=spacing[b : b + 1])
        torch.testing.assert_close(both[b : b + 1], alone, rtol=5e-3, atol=0)


def test_gradient_is_that_of_central_differences():
    image = disc(8, 0.3) * (1 - 0.2 * torch.rand(8, 8, generator=torch.Generator().manual_seed(0)).double())
    field = torch.full((1, 1, 8, 8), 0.9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda t, f: estimate_scatter(t, 1.0, pixel_spacing=20.0, field=f), (image.requires_grad_(), field), rtol=1e-6
    )


def test_gradients_add_up_to_the_change_while_an_outline_moves_across_pixels():
    """Nothing jumps where a pixel joins the object: the mean slope over the move is the change."""
    at = torch.linspace(-3.0, 3.0, 24, dtype=torch.float64)
    weights = torch.linspace(0.5, 2.0, 24, dtype=torch.float64)

    def total(shift):
        image = 1 - 0.8 * torch.sigmoid(3 * (at - shift))
        return (estimate_scatter(image.expand(1, 1, 24, 24), 1.0, pixel_spacing=9.0) * weights).sum()

    places = ((torch.arange(400, dtype=torch.float64) + 0.5) / 400).requires_grad_()
    slopes = torch.autograd.grad(sum(total(place) for place in places), places)[0]
    assert float(slopes.mean()) == pytest.approx(float(total(1.0) - total(0.0)), rel=1e-3)


def test_total_shadow_and_more_than_all_are_harmless():
    image = disc()
    image[..., 40:60, 40:60] = 0.0
    image[..., :4, :4] = 1.01
    image.requires_grad_()
    scatter = estimate_scatter(image, 1.0, pixel_spacing=2.0)
    scatter.sum().backward()
    assert torch.isfinite(scatter).all()
    assert torch.isfinite(image.grad).all()
    assert scatter.min() >= 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: estimate_scatter(disc(), -1.0, pixel_spacing=1.0), "scatter_to_primary must be 0 or more"),
        (lambda: estimate_scatter(disc(), float("nan"), pixel_spacing=1.0), "scatter_to_primary must be 0 or more"),
        (lambda: estimate_scatter(torch.ones(4, 4), 1.0, pixel_spacing=1.0), r"must be \(B, 1, H, W\)"),
        (lambda: estimate_scatter(disc(), 1.0, pixel_spacing=-1.0), "pixel_spacing must be positive"),
        (lambda: ScatterKernel((1.0,), (0.5, 0.5)), "equally many"),
        (lambda: ScatterKernel((), ()), "equally many"),
        (lambda: ScatterKernel((-1.0,), (1.0,)), "must be positive"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_kernel_below_the_pixel_is_refused():
    narrow = ScatterKernel(widths=(0.4,), weights=(1.0,))
    with pytest.raises(InputError, match=r"widths must be at least half a pixel, 0\.5 mm, got 0\.4 mm"):
        estimate_scatter(torch.full((1, 1, 8, 8), 0.5), 0.2, pixel_spacing=1.0, kernel=narrow)
