"""Position embeddings at other sizes: the published operator to the bit, and a clean one."""

import pytest
import torch
from torch.nn import functional as F
from xraykit.dax.network import resize_positions


def positions(grid, size=8, dtype=torch.float32):
    return torch.randn(1, grid[0] * grid[1], size, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize(("old", "patch"), [(14, 16), (28, 8)])
@pytest.mark.parametrize("pixels", [48, 96, 250, 448, 976])
def test_published_way_equals_the_published_formula_to_the_bit(old, patch, pixels):
    given, new = positions((old, old)), (pixels // patch, 224 // patch)
    expected = F.interpolate(
        given.reshape(1, old, old, -1).permute(0, 3, 1, 2),
        scale_factor=tuple((edge + 0.1) / old for edge in new),
        mode="bicubic",
        align_corners=False,
        antialias=True,
    )
    result = resize_positions(given, (old, old), new, "published")
    assert torch.equal(result, expected.permute(0, 2, 3, 1).reshape(1, new[0] * new[1], -1))


@pytest.mark.parametrize("new", [(3, 3), (6, 6), (28, 14), (61, 61)])
def test_clean_way_equals_timms(new):
    from timm.layers import resample_abs_pos_embed

    given = positions((14, 14))
    expected = resample_abs_pos_embed(given, new, old_size=(14, 14), num_prefix_tokens=0)
    torch.testing.assert_close(resize_positions(given, (14, 14), new, "size"), expected)


@pytest.mark.parametrize("how", ["size", "published"])
def test_at_the_own_grid_nothing_changes(how):
    given = positions((14, 9))
    assert resize_positions(given, (14, 9), (14, 9), how) is given


def test_clean_way_keeps_a_constant_and_the_middle_of_a_ramp():
    ramp = torch.linspace(0, 1, 15).repeat(15).reshape(1, 225, 1)
    assert resize_positions(torch.ones_like(ramp), (15, 15), (6, 6), "size").allclose(torch.ones(1))
    smaller = resize_positions(ramp, (15, 15), (5, 5), "size").reshape(5, 5)
    torch.testing.assert_close(smaller[:, 2], torch.full((5,), 0.5))


@pytest.mark.parametrize("how", ["size", "published"])
def test_gradients_reach_the_positions(how):
    given = positions((5, 5), size=2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: resize_positions(x, (5, 5), (3, 7), how), given)


def test_half_precision_is_resized_in_float32():
    given = positions((14, 14))
    result = resize_positions(given.bfloat16(), (14, 14), (6, 6), "size")
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result, resize_positions(given.bfloat16().float(), (14, 14), (6, 6), "size").bfloat16())
