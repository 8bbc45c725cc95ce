"""Parameter groups of a matcher or a classifier: which decay, and which learn at a rate of their own."""

from __future__ import annotations

from typing import Any

from torch import nn

from xraykit.render.training import group_parameters

from .guided_encoder import GuidedEncoder


def parameter_groups(
    network: nn.Module, *, weight_decay: float = 0.0, trunk_rate: float = 1.0, alpha_rate: float = 100.0
) -> list[dict[str, Any]]:
    """Groups for an optimiser of torch; a group's "rate_scale" is its multiple of the learning rate.

    Matrices and convolutions decay; vectors, scalars, view embeddings and alphas do not. Alphas move by at most the
    rate a step, so that 1e-4 would leave them where they are.

    Args:
        network: A MatchNetwork or StudyClassifier.
        weight_decay: Of what decays.
        trunk_rate: Multiple of the rate for the trunk.
        alpha_rate: Multiple of the rate for the alphas of a guided classifier.

    Returns:
        Groups with parameters that need a gradient, empty ones left out.
    """
    alphas = {id(m.alpha) for m in network.modules() if isinstance(m, GuidedEncoder)}

    def part(name: str, parameter: nn.Parameter) -> str:
        return "alpha" if id(parameter) in alphas else "trunk" if name.startswith("patches.trunk.") else "rest"

    def decays(name: str, parameter: nn.Parameter) -> bool:
        return parameter.ndim > 1 and id(parameter) not in alphas and not name.endswith("view_embedding")

    return group_parameters(
        network.named_parameters(), weight_decay=weight_decay, decays=decays, part=part,
        rates={"alpha": alpha_rate, "trunk": trunk_rate},
    )  # fmt: skip
