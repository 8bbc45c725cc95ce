"""New matchers: random weights, and a head that starts with as many matches as there are."""

from __future__ import annotations

import torch

from xraykit.render import InputError

from .calibration import calibrate_head, smooth_noise
from .matcher import MatchNetwork
from .matcher_config import NAMED, MatcherConfig


def new_matcher(config: MatcherConfig | str, *, seed: int = 0) -> MatchNetwork:
    """A matcher with random weights, in training mode; the caller's random state stays as it was.

    The bias of a sigmoid head is calibrated on soft blobs, see `calibrate_head`.

    Args:
        config: What it is, or a name in NAMED.
        seed: Of the weights.

    Raises:
        InputError: No such name or trunk.
    """
    if isinstance(config, str):
        if config not in NAMED:
            raise InputError(f"a matcher must be one of {', '.join(NAMED)}, got {config[:60]!r}.")
        config = NAMED[config]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return calibrate_head(MatchNetwork(config), smooth_noise(config.stride))
