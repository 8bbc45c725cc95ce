"""Parameters are grouped by part and by whether they decay, and each is in one group."""

import torch
from torch import nn
from xraykit.render.training import group_parameters


def network():
    """A trunk and a head, one weight of which does not learn."""
    parts = nn.ModuleDict({"trunk": nn.Linear(3, 2), "head": nn.Linear(2, 2), "fixed": nn.Linear(2, 1)})
    parts["fixed"].requires_grad_(False)
    return parts


def test_each_parameter_that_learns_is_in_the_group_of_its_part_and_decay():
    parts = network()
    groups = group_parameters(
        parts.named_parameters(),
        weight_decay=0.1,
        decays=lambda _, parameter: parameter.ndim > 1,
        part=lambda name, _: "trunk" if name.startswith("trunk.") else "rest",
        rates={"trunk": 0.5},
    )
    facts = [(group["weight_decay"], group["rate_scale"], len(group["params"])) for group in groups]
    assert facts == [(0.1, 0.5, 1), (0.0, 0.5, 1), (0.1, 1.0, 1), (0.0, 1.0, 1)]
    assert groups[0]["params"][0] is parts["trunk"].weight
    torch.optim.AdamW(groups, lr=1e-3)


def test_without_parts_there_are_two_groups_of_one_rate():
    groups = group_parameters(network().named_parameters(), weight_decay=0.2, decays=lambda name, _: "bias" not in name)
    assert [(group["weight_decay"], group["rate_scale"]) for group in groups] == [(0.2, 1.0), (0.0, 1.0)]
