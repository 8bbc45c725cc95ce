"""A state dict fits a module name by name and shape by shape, or the names that do not are listed."""

import pytest
import torch
from torch import nn
from xraykit.render import FileError
from xraykit.render.weights import fill_module, rename_keys

WANTED = {"source": "net.pth", "wanted": "the weights of a line"}


def line():
    return nn.Linear(2, 3)


def test_a_module_takes_the_weights_of_another_and_keeps_its_own_dtype():
    state = {name: tensor.double() for name, tensor in line().state_dict().items()}
    net = fill_module(line(), state, **WANTED)
    assert net.weight.dtype == torch.float32
    assert torch.equal(net.weight.double(), state["weight"]) and torch.equal(net.bias.double(), state["bias"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": None}, "must hold exactly the weights of a line, got weight missing and nothing unexpected"),
        ({"more": torch.zeros(1), "and": torch.zeros(1)}, "got nothing missing and and, more unexpected"),
        ({"bias": torch.zeros(4)}, r"bias of shape \(3,\), got \(4,\)"),
        ({"bias": [0.0]}, r"bias of shape \(3,\), got list"),
        ({"bias": torch.full((3,), torch.inf)}, "NaN or infinity in bias"),
    ],
)
def test_what_does_not_fit_is_named_and_the_module_unchanged(change, message):
    state = {name: value for name, value in (line().state_dict() | change).items() if value is not None}
    net = line()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(FileError, match=message):
        fill_module(net, state, **WANTED)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_every_missing_name_up_to_twenty_is_listed():
    net = nn.Sequential(*(line() for _ in range(15)))
    with pytest.raises(FileError, match=r"0\.bias, .*and 10 more missing"):
        fill_module(net, {}, **WANTED)


def test_the_longest_prefix_decides_and_none_leaves_out():
    state = {"module.encoder.w": 1, "module.encoder.head.w": 2, "module.head.w": 3, "epoch": 4}
    prefixes = {"module.": "", "module.encoder.": "backbone.", "module.encoder.head.": None, "epoch": None}
    assert rename_keys(state, prefixes) == {"backbone.w": 1, "head.w": 3}


def test_names_that_fall_together_and_prefixes_that_fit_nothing_are_refused():
    with pytest.raises(FileError, match="got two for w"):
        rename_keys({"a.w": 1, "b.w": 2}, {"a.": "", "b.": ""})
    with pytest.raises(FileError, match=r"dino\.pth must have names that begin with teacher\., got none"):
        rename_keys({"student.w": 1}, {"teacher.": ""}, source="dino.pth")
