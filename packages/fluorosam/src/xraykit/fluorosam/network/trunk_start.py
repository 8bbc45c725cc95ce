"""Weights that a part of a network begins with: trunk, whole image encoder, or text tower."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from xraykit.render import FileError
from xraykit.render.extras import require
from xraykit.render.weights import WeightsKind, fill_module, find_weights, load_weights, read_pickle

from .network import SegmentationNetwork
from .network_weights import NETWORK, load_network
from .trunk import SwinTrunk

BACKBONE = WeightsKind("xray backbone", "xraykit-dax", libraries=())
"""Backbones that were learned without labels, as `xraykit dax pretrain` leaves them."""
PARTS = frozenset({"text", "encoder", "trunk"})
"""What weights say that they were trained on where some parts alone have learned, and the codes have not."""
_WRAPPERS = ("module.", "backbone.", "network.", "model.")
_LEFT_OUT = re.compile(r"^(head|fc|norm)\.|(^|\.)(attn_mask|relative_position_index)$")


def fill_trunk(network: SegmentationNetwork, source: str | Path) -> SegmentationNetwork:
    """The network itself with its trunk's weights set from a file; it is unchanged where that fails.

    A first convolution for one channel becomes one for three windows, a third of it each. What a Swin's file has after
    its last block is left out, but for its last normalisation, which becomes that of the last map; the normalisations
    of the other maps, which no file has, stay as they are.

    Args:
        network: Changed in place.
        source: A folder, file or hub id of
            - weights of this package, whose trunk must be the same,
            - a backbone of `xraykit dax pretrain` ("kind": "xray backbone"),
            - a state dict under timm's names, or the official names of a Swin: safetensors or a torch checkpoint, which
              is read without running anything in it; under "state_dict" or "model", or with "module." before its names.

    Raises:
        FileError: Nothing there, not readable, or weights that are not this trunk's; what is missing and what is left
            over are listed.
    """
    path = find_weights(source, what="a trunk's weights")
    trunk = network.image_encoder.trunk
    state = _read(path)
    if isinstance(trunk, SwinTrunk) and not any(name.startswith("norms.") for name in state):
        own = trunk.state_dict()
        state = _of_swin(state, own)
    wanted = f"the weights of a {network.config.trunk.kind} trunk of width {network.config.trunk.width}"
    fill_module(trunk, state, source=str(path), wanted=wanted)
    network.trained_on = {**network.trained_on, "trunk": str(path.name)}
    return network


def fill_text(network: SegmentationNetwork, source: str | Path) -> SegmentationNetwork:
    """The network itself with its text tower's weights set from another network's; it is unchanged where that fails.

    Args:
        network: Changed in place.
        source: A folder, file or hub id of weights of this package, such as `xraykit fluorosam pretrain-text` leaves.

    Raises:
        FileError: Nothing there, not readable, or a text tower of another size.
    """
    other = load_network(source)
    theirs, own = (replace(one.config.text, frozen=True, presence=0) for one in (other, network))
    if theirs != own:
        raise FileError(f"{source} must have the text tower of this network, got another size; choose its variant.")
    network.prompt_encoder.text_model.load_state_dict(other.prompt_encoder.text_model.state_dict())
    network.trained_on = {**network.trained_on, "text": other.trained_on.get("text", str(source))}
    return network


def fill_encoder(network: SegmentationNetwork, source: str | Path) -> SegmentationNetwork:
    """The network itself with its image encoder's weights set from another network's; unchanged where that fails.

    Sizes of images may differ where encoders consist of convolutions.

    Args:
        network: Changed in place.
        source: A folder, file or hub id of weights of this package, such as `xraykit fluorosam pretrain` leaves.

    Raises:
        FileError: Nothing there, not readable, or an image encoder of another shape.
    """
    other = load_network(source)
    wanted = (
        f"the image encoder of this network, a {network.config.trunk.kind} trunk of width {network.config.trunk.width}"
    )
    fill_module(network.image_encoder, other.image_encoder.state_dict(), source=str(source), wanted=wanted)
    network.trained_on = {**network.trained_on, "encoder": other.trained_on.get("encoder", str(source))}
    return network


def _read(path: Path) -> dict[str, object]:
    """The trunk's part of a file under the names that it has there."""
    if path.suffix != ".safetensors":
        return _bare(read_pickle(path), path)
    kind = _kind(path)
    if kind == NETWORK.name:
        return _below(load_weights(path, NETWORK).state, "image_encoder.trunk.")
    if kind == BACKBONE.name:
        return dict(load_weights(path, BACKBONE).state)
    safetensors = require("safetensors", extra="weights")
    with safetensors.safe_open(path, framework="pt", device="cpu") as file:
        return _bare({name: file.get_tensor(name) for name in file.keys()}, path)  # noqa: SIM118 (no mapping)


def _kind(path: Path) -> str:
    """What a safetensors file says that it is; "" where it says nothing."""
    import json

    safetensors = require("safetensors", extra="weights")
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            said = (file.metadata() or {}).get("xraykit", "{}")
    except (safetensors.SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{path} must be a whole safetensors file, got a damaged one ({error}).") from error
    try:
        content = json.loads(said)
    except ValueError:
        return ""
    return str(content.get("kind", "")) if isinstance(content, dict) else ""


def _bare(content: object, path: Path) -> dict[str, object]:
    """The tensors of a checkpoint without what other programs put around their names."""
    if isinstance(content, Mapping):
        held = (content[key] for key in ("state_dict", "model") if isinstance(content.get(key), Mapping))
        inner: Mapping[Any, Any] = next(held, content)
        state: dict[str, object] = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
        for wrapper in _WRAPPERS:
            state = _below(state, wrapper) or state
        if state:
            return state
    raise FileError(f"{path} must hold tensors by name, got {type(content).__name__}; name a state dict.")


def _below(state: Mapping[str, object], prefix: str) -> dict[str, object]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def _of_swin(state: Mapping[str, object], own: Mapping[str, Tensor]) -> dict[str, object]:
    """timm's names, or the official ones, as those of a SwinTrunk; the maps' own normalisations from `own`."""
    official = any(name.startswith("layers.0.downsample.") for name in state)
    made: dict[str, object] = {name: value for name, value in own.items() if name.startswith("norms.")}
    for name, value in state.items():
        if name in ("norm.weight", "norm.bias"):
            made[name.replace("norm.", "norms.3.")] = value
        if _LEFT_OUT.search(name):
            continue
        found = re.match(r"layers\.(\d)\.downsample\.(.+)", name)
        if official and found:
            name = f"layers.{int(found[1]) + 1}.downsample.{found[2]}"
        if name == "patch_embed.proj.weight" and isinstance(value, Tensor) and value.shape[1:2] == (1,):
            value = value.expand(-1, 3, -1, -1) / 3
        made[f"swin.{name}"] = value
    return made
