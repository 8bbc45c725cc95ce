"""Groups, steps and clipping are the published ones, and a step can be resumed exactly."""

import copy

import pytest
import torch
from torch import nn
from xraykit.dax.train.optimizers import (
    clip_each,
    freeze_last_layer,
    make_optimizer,
    parameter_groups,
    set_weight_decay,
)
from xraykit.render import InputError

NAMES = ["adamw", "sgd", "lars"]


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.cls_token = nn.Parameter(torch.randn(1, 1, 4, generator=generator))
        self.frozen = nn.Parameter(torch.zeros(3, 4), requires_grad=False)
        self.norm = nn.LayerNorm(4)
        self.first = nn.Linear(4, 5)
        self.last_layer = nn.Linear(5, 3)
        with torch.no_grad():
            for layer in (self.first, self.last_layer):
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))

    def forward(self, x):
        return self.last_layer(self.first(self.norm(x + self.cls_token[0])))


def learn(network, optimizer, steps, *, seed=1):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimizer.zero_grad()
        x = torch.randn(6, 4, generator=generator, dtype=network.cls_token.dtype)
        network(x).square().sum().backward()
        optimizer.step()


def test_matrices_and_tokens_decay_and_biases_and_norms_do_not():
    network = Network()
    names = {id(p): name for name, p in network.named_parameters()}
    decayed, plain = ({names[id(p)] for p in group["params"]} for group in parameter_groups(network))
    assert decayed == {"cls_token", "first.weight", "last_layer.weight"}
    assert plain == {"norm.weight", "norm.bias", "first.bias", "last_layer.bias"}


@pytest.mark.parametrize("name", NAMES)
def test_weight_decay_changes_in_the_first_group_alone(name):
    optimizer = make_optimizer(name, Network(), rate=0.1, weight_decay=0.04)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.04, 0.0]
    set_weight_decay(optimizer, 0.4)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.4, 0.0]


def test_an_unknown_optimiser_or_nothing_to_learn_is_refused():
    with pytest.raises(InputError, match="adamw, sgd or lars, got 'adam'"):
        make_optimizer("adam", Network(), rate=0.1)
    with pytest.raises(InputError, match="all are frozen"):
        make_optimizer("sgd", Network().requires_grad_(False), rate=0.1)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_fused_step_is_the_same_step(name):
    network = Network().double()
    twin = copy.deepcopy(network)
    for each, fused in ((network, False), (twin, True)):
        learn(each, make_optimizer(name, each, rate=0.01, weight_decay=0.1, fused=fused), 3)
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_resumed_optimiser_goes_on_bit_for_bit(name):
    network = Network()
    optimizer = make_optimizer(name, network, rate=0.01, weight_decay=0.1)
    learn(network, optimizer, 3)
    again = copy.deepcopy(network)
    resumed = make_optimizer(name, again, rate=0.5)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    learn(network, optimizer, 3, seed=2)
    learn(again, resumed, 3, seed=2)
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def reference_lars(parameters, averages, *, rate, weight_decay, momentum=0.9, eta=0.001):
    """One parameter after the other."""
    for p, mu in zip(parameters, averages, strict=True):
        move = p.grad
        if p.ndim != 1:
            move = move + weight_decay * p
            lengths = p.norm(), move.norm()
            move = move * (eta * lengths[0] / lengths[1] if min(lengths) > 0 else 1)
        mu.mul_(momentum).add_(move)
        p.sub_(rate * mu)


def test_lars_is_the_published_rule_written_for_one_parameter_after_the_other():
    network = Network().double()
    twin = copy.deepcopy(network)
    optimizer = make_optimizer("lars", network, rate=0.3, weight_decay=1e-2)
    learned = [p for p in twin.parameters() if p.requires_grad]
    averages = [torch.zeros_like(p) for p in learned]
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        x = torch.randn(6, 4, generator=generator, dtype=torch.float64)
        for each in (network, twin):
            each.zero_grad()
            each(x).square().sum().backward()
        optimizer.step()
        with torch.no_grad():
            # Groups without decay hold only parameters of one dimension here, which never decay.
            reference_lars(learned, averages, rate=0.3, weight_decay=1e-2)
    for one, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.peer
def test_lightlys_lars_takes_the_same_steps_where_there_is_next_to_no_decay():
    """Its ratio is eta |w| / (|g| + decay |w|) and none without decay, so the two agree for a tiny one only."""
    peer = pytest.importorskip("lightly.utils.lars")
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizers = (
        make_optimizer("lars", nn.ParameterDict({"w": ours}), rate=50.0, weight_decay=1e-12),
        peer.LARS([theirs], lr=50.0, momentum=0.9, weight_decay=1e-12, trust_coefficient=0.001, eps=0),
    )
    for _ in range(3):
        for p, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            (p.square().sum() + p.sum()).backward()
            optimizer.step()
    assert (ours - start).abs().max() > 0.01
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=0)


def test_lars_leaves_lengths_of_zero_alone_and_skips_what_has_no_gradient():
    network = nn.ParameterDict({"zero": nn.Parameter(torch.zeros(2, 2)), "idle": nn.Parameter(torch.ones(2, 2))})
    optimizer = make_optimizer("lars", network, rate=1.0)
    network["zero"].grad = torch.ones(2, 2)
    optimizer.step()
    assert torch.equal(network["zero"], -torch.ones(2, 2))
    assert torch.equal(network["idle"], torch.ones(2, 2))
    optimizer.zero_grad()
    optimizer.step()


def test_each_gradient_is_clipped_by_its_own_norm():
    network = Network()
    network(torch.ones(2, 4)).sum().backward()
    before = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    longest = 8.0
    norms = clip_each(network.parameters(), longest)
    torch.testing.assert_close(norms, torch.stack([g.norm() for g in before.values()]))
    assert (norms > longest).any()
    assert (norms < longest).any()
    for name, gradient in before.items():
        coefficient = longest / (gradient.norm() + 1e-6)
        expected = gradient * coefficient if coefficient < 1 else gradient
        torch.testing.assert_close(network.get_parameter(name).grad, expected)


def test_a_limit_of_zero_clips_nothing():
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.full((2,), 100.0)
    clip_each([p], 0)
    assert torch.equal(p.grad, torch.full((2,), 100.0))
    assert len(clip_each([nn.Parameter(torch.ones(2))], 1.0)) == 0


def test_a_frozen_last_layer_stays_while_the_rest_learns():
    network = Network()
    before = copy.deepcopy(network.state_dict())
    optimizer = make_optimizer("adamw", network, rate=0.1, weight_decay=0.1)
    network(torch.ones(2, 4)).sum().backward()
    freeze_last_layer(network)
    optimizer.step()
    assert torch.equal(network.last_layer.weight, before["last_layer.weight"])
    assert not torch.equal(network.first.weight, before["first.weight"])
