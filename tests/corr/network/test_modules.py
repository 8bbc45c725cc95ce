"""The modules between trunk and head: weights as published, permutations, absent views, any number of views."""

import pytest
import torch
from xraykit.corr.network import MatcherConfig
from xraykit.corr.network.modules.build_module import new_module

LAYERS = {"superglue": 4, "loftr": 4, "standard_mp": 4, "standard": 2, "authors": 4}
GRID = 3


def module(name, **options):
    torch.manual_seed(0)
    config = MatcherConfig(module=name, layers=LAYERS[name], dimension=32, heads=4, **options)
    return new_module(config).double().eval()


def tokens(views=3, batch=2):
    return torch.randn(batch, views, GRID**2, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "weights"),
    [("superglue", 658_176), ("loftr", 656_384), ("standard_mp", 656_384), ("standard", 789_760)],
)
def test_a_layer_has_the_weights_of_its_publication_at_256(name, weights):
    layer = new_module(MatcherConfig(module=name, layers=2, dimension=256)).layers[0]
    assert sum(p.numel() for p in layer.parameters()) == weights


@pytest.mark.parametrize("name", LAYERS)
def test_views_in_another_order_give_the_same_in_that_order(name):
    order = torch.arange(3).expand(2, 3)
    swapped = [2, 0, 1]
    net, x = module(name), tokens()
    torch.testing.assert_close(
        net(x[:, swapped], GRID, order=order[:, swapped]), net(x, GRID, order=order)[:, swapped], rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("name", LAYERS)
def test_samples_do_not_see_each_other(name):
    net, x = module(name), tokens()
    torch.testing.assert_close(net(x[:1], GRID), net(x, GRID)[:1], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", LAYERS)
def test_an_absent_view_is_as_if_it_were_not_given(name):
    net, x = module(name), tokens()
    present = torch.tensor([[True, True, False], [True, True, True]])
    with_absent = net(x.masked_fill(~present[..., None, None], 7.0), GRID, present=present)
    torch.testing.assert_close(with_absent[0, :2], net(x[:1, :2], GRID)[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(with_absent[1], net(x[1:], GRID)[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_every_view_sees_every_other(name):
    net, x = module(name), tokens(batch=1).requires_grad_()
    for view in range(3):
        (gradient,) = torch.autograd.grad(net(x, GRID)[0, view].square().sum(), x)
        assert (gradient[0].abs().sum((1, 2)) > 0).all()


def test_cross_layers_use_the_tokens_before_the_layer():
    net, x = module("standard_mp"), tokens(views=2)
    one = x + 0
    first = net.layers[1](x[:, 0], x[:, 1], None, None)
    second = net.layers[1](x[:, 1], x[:, 0], None, None)
    net.layers = torch.nn.ModuleList([torch.nn.Identity(), net.layers[1]])
    net.layers[0].forward = lambda tokens, *_: tokens
    torch.testing.assert_close(net.pass_messages(one, None), torch.stack([first, second], 1))


def test_tokens_without_codes_may_come_in_any_order():
    net, x = module("loftr"), tokens(views=2)
    shuffled = torch.randperm(GRID**2, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        net.pass_messages(x[:, :, shuffled], None), net.pass_messages(x, None)[:, :, shuffled], rtol=0, atol=1e-10
    )


def test_batch_statistics_of_superglue_do_not_see_absent_views():
    present, x = torch.tensor([[True, True, False], [True, True, True]]), tokens()
    means = []
    for filling in (0.0, 50.0):
        net = module("superglue").train()
        net(x.masked_fill(~present[..., None, None], filling), GRID, present=present)
        means.append(net.layers[0].mlp[1].running_mean)
    assert torch.equal(*means)
