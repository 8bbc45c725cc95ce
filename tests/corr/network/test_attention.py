"""Attention: fused and written out agree, absent keys do not count, and too many tokens are refused."""

import pytest
import torch
from xraykit.corr.network.attention import ABSENT, attend, attention_weights, check_tokens, key_bias, other_views
from xraykit.corr.network.modules.loftr import linear_attention
from xraykit.render import InputError


def inputs(dtype=torch.float32):
    g = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, n, 8, generator=g, dtype=dtype) for n in (5, 7, 7))
    return q, k, v, torch.randn(2, 1, 5, 7, generator=g, dtype=dtype)


def test_written_out_and_fused_attention_are_the_same_with_their_gradients():
    gradients = []
    for explicit in (True, False):
        q, k, v, bias = inputs()
        leaves = [x.requires_grad_() for x in (q, k, v)]
        out = attend(*leaves, bias=bias.requires_grad_(explicit))
        out.square().sum().backward()
        gradients.append([out.detach(), *(x.grad for x in leaves)])
    for written, fused in zip(*gradients, strict=True):
        torch.testing.assert_close(written, fused, rtol=1e-5, atol=1e-5)


def test_a_learned_bias_in_bfloat16_is_the_float32_one_up_to_the_rounding_of_bfloat16():
    found = {}
    for kind in (torch.float32, torch.bfloat16):
        q, k, v, bias = inputs()
        leaves = [x.to(torch.bfloat16).to(kind).requires_grad_() for x in (q, k, v)]
        out = attend(*leaves, bias=bias.requires_grad_())
        assert out.dtype == kind and bias.dtype == torch.float32
        out.float().square().sum().backward()
        found[kind] = [out.detach().float(), bias.grad, *(x.grad.float() for x in leaves)]
    for low, full in zip(found[torch.bfloat16], found[torch.float32], strict=True):
        assert (low - full).abs().max() < 8 * torch.finfo(torch.bfloat16).eps * full.abs().max()
        assert (low - full).abs().max() > 0


def test_the_gradient_of_the_bias_is_that_of_finite_differences():
    q, k, v, bias = inputs(torch.float64)
    assert torch.autograd.gradcheck(lambda b: attend(q, k, v, bias=b), bias.requires_grad_())


def test_keys_of_absent_views_count_nothing():
    q, k, v, _ = inputs()
    absent = torch.tensor([[0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0]]).bool()
    out = attend(q, k, v, bias=absent[:, None, None] * ABSENT)
    torch.testing.assert_close(out[0], attend(q, k[:, :, :5], v[:, :, :5])[0])
    torch.testing.assert_close(out[1], attend(q, k, v)[1])
    assert attention_weights(q, k, bias=absent[:, None, None] * ABSENT)[0, ..., 5:].max() == 0


def test_the_bias_of_absent_views_covers_their_tokens():
    assert key_bias(None, 3) is None
    bias = key_bias(torch.tensor([[True, False]]), 3)
    assert bias.shape == (1, 1, 1, 6) and (bias.flatten() == ABSENT).tolist() == [False] * 3 + [True] * 3


@pytest.mark.parametrize("views", [2, 3, 4])
def test_each_view_sees_all_others_in_their_order(views):
    seen = other_views(torch.arange(views)[None, :, None].expand(1, views, 2))
    assert seen.shape == (1, views, (views - 1) * 2)
    for a in range(views):
        assert seen[0, a].tolist() == [b for b in range(views) if b != a for _ in range(2)]


def test_linear_attention_is_the_quadratic_one_with_its_feature_map():
    q, k, v, _ = inputs(torch.float64)
    keys = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    weights = (torch.nn.functional.elu(q) + 1) @ (torch.nn.functional.elu(k) + 1).mT * keys[:, None, None]
    expected = weights @ v / weights.sum(-1, keepdim=True)
    torch.testing.assert_close(linear_attention(q, k, v, keys), expected, rtol=1e-4, atol=1e-5)


def test_too_many_tokens_are_refused_and_the_message_says_how_many_fit():
    check_tokens(2, 2, 16, 4, limit=4 * 2 * 4 * 512**2)
    with pytest.raises(InputError, match=r"got 2048 tokens .* 512 tokens fit, a grid of 16"):
        check_tokens(2, 2, 32, 4, limit=4 * 2 * 4 * 512**2)
