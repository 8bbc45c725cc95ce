"""The rows of table 1: one trunk, one dimension, one head, five modules, and one more of equal weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xraykit.render import InputError

from ..network.matcher_config import MatcherConfig, MatchModule
from ..network.network_cost import matcher_cost
from .settings import ModuleArm

REFERENCE: ModuleArm = "standard"
"""The row that the others are tested against"""
LAYERS: dict[ModuleArm, float] = {"superglue": 18 / 6, "loftr": 8 / 6, "standard_mp": 8 / 6}
"""Layers for each one of `standard`: SuperGlue has nine times self and cross, LoFTR four times, the paper six layers"""


@dataclass(frozen=True)
class MatcherArm:
    """A row: how tokens attend, and in how many layers."""

    name: ModuleArm
    module: MatchModule
    layers: int

    def config(self, shared: MatcherConfig) -> MatcherConfig:
        """The shared config with this row's module."""
        return replace(shared, module=self.module, layers=self.layers)


def matcher_arms(shared: MatcherConfig, names: Sequence[ModuleArm]) -> tuple[MatcherArm, ...]:
    """The rows by their names.

    `standard` has the layers of the shared config. `standard_large` has so many that its weights come closest to the
    row with the most, of all rivals, whether they are asked for or not: a ranking of modules that differ in size would
    else be one of sizes.

    Raises:
        InputError: No row, or one of them twice.
    """
    if not names or len(set(names)) < len(names):
        raise InputError(f"--arms must name rows, each once, got {', '.join(names) or 'none'}.")
    base = shared.layers
    arms = {
        "none": MatcherArm("none", "none", 0),
        "superglue": MatcherArm("superglue", "superglue", _even(base * LAYERS["superglue"])),
        "loftr": MatcherArm("loftr", "loftr", _even(base * LAYERS["loftr"])),
        "standard_mp": MatcherArm("standard_mp", "standard_mp", _even(base * LAYERS["standard_mp"])),
        "standard": MatcherArm("standard", "standard", base),
    }
    if "standard_large" in names:
        own = matcher_cost(arms["standard"].config(shared))
        largest = max(matcher_cost(arm.config(shared)).weights for arm in arms.values())
        more = round((largest - own.weights) / own.layer_weights)
        arms["standard_large"] = MatcherArm("standard_large", "standard", base + max(more, 0))
    return tuple(arms[name] for name in names)


def _even(layers: float) -> int:
    return max(2, 2 * round(layers / 2))
