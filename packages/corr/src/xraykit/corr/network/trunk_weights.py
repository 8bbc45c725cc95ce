"""Weights for a trunk from a file: any checkpoint with timm's names, for one channel or three."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.extras import require
from xraykit.render.weights import fill_module, find_weights, read_pickle

from .matcher import MatchNetwork

_WRAPPERS = ("module.", "backbone.", "network.")


def fill_trunk(network: MatchNetwork, source: str | Path) -> MatchNetwork:
    """The matcher itself, its trunk's weights set from a file; it is unchanged where that fails.

    A first convolution for three channels becomes one for grey by the sum over its inputs. What belongs to layers after
    the trunk's last is left out.

    Args:
        network: Changed in place.
        source: A .safetensors file of any kind (a backbone's of this project too), a folder with model.safetensors, a
            hub id, or a torch checkpoint, which is read without running anything in it. The tensors may lie under
            "state_dict" or "model", and their names may begin with "module." or "backbone.".

    Raises:
        FileError: Nothing there, not readable, or weights that are not this trunk's (the names are listed).
        InputError: The trunk "mini", which has no published weights.
    """
    trunk = network.patches.trunk
    if network.config.trunk == "mini":
        raise InputError("trunk mini must start from random weights, got a file; take a timm model for the trunk.")
    path = find_weights(source, what="a trunk's weights")
    state = _bare(_read(path), path)
    own = trunk.network.state_dict()
    first = next(name for name, value in own.items() if value.ndim == 4)
    found = {name: value for name, value in state.items() if name in own}
    if isinstance(weight := found.get(first), Tensor) and weight.ndim == 4 and weight.shape[1] == 3:
        found[first] = weight.sum(1, keepdim=True)
    wanted = f"the weights of a {network.config.trunk} up to stride {network.config.stride}"
    fill_module(trunk.network, found, source=str(path), wanted=wanted)
    network.trained_on = {"trunk": path.name}
    return network


def _read(path: Path) -> object:
    if path.suffix != ".safetensors":
        return read_pickle(path)
    safetensors = require("safetensors", extra="weights")
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (safetensors.SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{path} must be a whole safetensors file, got a damaged one ({error}).") from error


def _bare(content: object, path: Path) -> dict[str, Any]:
    """The state dict under timm's names."""
    if isinstance(content, Mapping):
        inner = next(
            (content[key] for key in ("state_dict", "model") if isinstance(content.get(key), Mapping)), content
        )
        state = {str(name): value for name, value in inner.items() if isinstance(value, Tensor)}
        for wrapper in _WRAPPERS:
            if state and any(name.startswith(wrapper) for name in state):
                state = {name.removeprefix(wrapper): v for name, v in state.items() if name.startswith(wrapper)}
        if state:
            return state
    raise FileError(f"{path} must hold tensors by name, got {type(content).__name__}; name a state dict.")
