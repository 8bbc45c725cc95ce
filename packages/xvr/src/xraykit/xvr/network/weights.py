"""Pose networks on disk: weights of our own with the frame they speak, or published checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.weights import WeightsKind, fill_module, find_weights, load_weights, save_weights

from .frame import NetworkFrame
from .pose_network import PoseNetwork
from .published import read_published

POSE_NETWORK = WeightsKind("pose network", "xraykit-xvr", libraries=("xraykit-render", "torch", "timm"))


def save_network(network: PoseNetwork, folder: str | Path, *, training: Mapping[str, object] | None = None) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be), see `save_weights`.

    Args:
        network: On any device.
        folder: Where to; the two files in it are replaced.
        training: How it was trained, anything that JSON holds; None is the network's provenance.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written. InputError: `training` is no JSON.
    """
    return save_weights(
        folder,
        network.state_dict(),
        POSE_NETWORK,
        config={**network.architecture, "frame": asdict(network.frame)},
        trained_on=network.provenance if training is None else training,
    )


def load_network(source: str | Path, **published: Any) -> PoseNetwork:
    """A pose network, in evaluation mode on the CPU.

    Args:
        source: A folder of `save_network`, its .safetensors file, a published .pth or .ckpt file, or on the hub
            `org/name[/file][@revision]` (without a file, model.safetensors).
        published: `frame`, `sdd`, `delx` for a published file, see `read_published`.

    Raises:
        FileError: Nothing there, not readable, or weights that do not fit; each says which.
        InputError: Options for published files with one of our own.
    """
    path = find_weights(source, what=f"a {POSE_NETWORK.name}")
    if path.suffix != ".safetensors":
        return read_published(path, **published)
    if published:
        raise InputError(f"{path} states its own frame; leave {', '.join(sorted(published))} out.")
    saved = load_weights(path, POSE_NETWORK)
    try:
        config = saved.config
        network = PoseNetwork(NetworkFrame(**config["frame"]), backbone=config["backbone"], norm=config["norm"])
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise FileError(
            f"{path} must carry a complete config, got one that is not ({error}); save it again."
        ) from error
    network.provenance = dict(saved.trained_on)
    return fill_module(network, saved.state, source=str(path), wanted=network.described()).eval()
