"""Matchers on disk and by name: weights never come without their config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from xraykit.render import FileError, InputError
from xraykit.render.weights import WeightsKind, fill_module, load_weights, save_weights

from .build import new_matcher
from .matcher import MatchNetwork
from .matcher_config import MatcherConfig

MATCHER = WeightsKind("corr_matcher", "xraykit-corr", libraries=("xraykit-render", "torch", "timm"))
SHIPPED = Path(__file__).parent.parent / "shipped"
_NOTHING: Mapping[str, object] = {}


def save_matcher(
    network: MatchNetwork, folder: str | Path, *, trained_on: Mapping[str, Any] = _NOTHING, half: bool = False
) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be), see `save_weights`.

    Args:
        network: On any device.
        folder: Where to; the two files in it are replaced.
        trained_on: What it learned from, anything that JSON holds; empty is what the network says of itself.
        half: Store float16: half the size, three digits.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written.
        InputError: `trained_on` or the config's `preprocess` is no JSON.
    """
    return save_weights(
        folder,
        network.state_dict(),
        MATCHER,
        config={**asdict(network.config), "preprocess": dict(network.config.preprocess)},
        trained_on=trained_on or network.trained_on,
        half=half,
    )


def load_matcher(source: str | Path) -> MatchNetwork:
    """A matcher in evaluation mode on the CPU, with its preprocessing in `config.preprocess`.

    Args:
        source: One of
            - a folder of `save_matcher`, its .safetensors file, or a hub id `org/name[/file][@revision]`,
            - "shipped", the small one that comes with this package,
            - "random:NAME" with a name in NAMED, untrained, seed 0, as a control.

    Raises:
        FileError: Nothing there, not readable, other weights, or weights that do not fit their config.
        InputError: No such name after "random:".
    """
    text = str(source)
    if text.startswith("random:"):
        return new_matcher(text.removeprefix("random:")).eval()
    if text == "shipped":
        source = SHIPPED
        if not (SHIPPED / "model.safetensors").is_file():
            raise FileError(
                "the matcher that ships with xraykit-corr must lie in its folder shipped, got an installation without "
                "it; install the wheel, or name other weights."
            )
    saved = load_weights(source, MATCHER)
    try:
        with torch.random.fork_rng(devices=[]):
            network = MatchNetwork(MatcherConfig(**saved.config))
    except (InputError, TypeError) as error:
        raise incomplete(source, error) from error
    fill_module(network, saved.state, source=text, wanted=f"the weights of a {network.config.module} matcher")
    network.trained_on = dict(saved.trained_on)
    return network.eval()


def incomplete(source: str | Path, error: Exception) -> FileError:
    """The error of weights whose config builds nothing."""
    cause = " ".join(str(error).split()).rstrip(".")[:300]
    return FileError(
        f"{source} must carry a complete config, got one that is not ({cause}); save it again, or update xraykit-corr."
    )
