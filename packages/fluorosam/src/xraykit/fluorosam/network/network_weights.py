"""Networks on disk and by name: weights never come without their config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from xraykit.render import FileError, InputError
from xraykit.render.storage import from_plain, to_plain
from xraykit.render.weights import WeightsKind, fill_module, load_weights, save_weights

from .config import FluoroSamConfig
from .network import SegmentationNetwork, new_network
from .published import read_published

NETWORK = WeightsKind("fluorosam", "xraykit-fluorosam", libraries=("xraykit-render", "torch", "timm"))
SHIPPED = Path(__file__).parent.parent / "shipped"
_NOTHING: Mapping[str, object] = {}
_FOREIGN = (".ckpt", ".pth", ".pt")


def save_network(
    network: SegmentationNetwork, folder: str | Path, *, trained_on: Mapping[str, Any] = _NOTHING, half: bool = False
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
        InputError: `trained_on` is no JSON.
    """
    return save_weights(
        folder,
        network.state_dict(),
        NETWORK,
        config=to_plain(network.config),
        trained_on=trained_on or network.trained_on,
        half=half,
    )


def load_network(source: str | Path) -> SegmentationNetwork:
    """A network in evaluation mode on the CPU.

    Args:
        source: One of
            - a folder of `save_network`, its .safetensors file, or a hub id `org/name[/file][@revision]`,
            - "shipped", the small one that comes with this package,
            - a published checkpoint (.ckpt, .pth, .pt), see `read_published`,
            - "random:NAME" with a name in NAMED, untrained, seed 0, as a control.

    Raises:
        FileError: Nothing there, not readable, other weights, or weights that do not fit their config.
        InputError: No such name after "random:".
    """
    text = str(source)
    if text.startswith("random:"):
        return new_network(text.removeprefix("random:")).eval()
    if text == "shipped":
        source = SHIPPED
        if not (SHIPPED / "model.safetensors").is_file():
            raise FileError(
                "the network that ships with xraykit-fluorosam must lie in its folder shipped, got an installation "
                "without it; install the wheel, or name other weights."
            )
    if text.endswith(_FOREIGN):
        return read_published(source)
    saved = load_weights(source, NETWORK)
    try:
        config = from_plain(FluoroSamConfig, saved.config, what="the config")
    except InputError as error:
        cause = " ".join(str(error).split()).rstrip(".")[:300]
        raise FileError(
            f"{source} must carry a complete config, got one that is not ({cause}); save it again, or update "
            "xraykit-fluorosam."
        ) from error
    with torch.random.fork_rng(devices=[]):
        network = SegmentationNetwork(config)
    fill_module(network, saved.state, source=text, wanted="the weights of this network")
    network.trained_on = dict(saved.trained_on)
    return network.eval()
