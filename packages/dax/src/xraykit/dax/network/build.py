"""Architectures by name: the six of the paper, two small ones of our own, and whatever timm has."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

import torch
from torch import nn

from xraykit.render import InputError

from .backbone_config import BackboneConfig
from .one_channel import set_channels
from .vit import is_vit


class Architecture(NamedTuple):
    """A timm model, and what is changed in it."""

    family: Literal["vit", "resnet"] | None
    timm: str
    options: Mapping[str, Any]


ARCHITECTURES: dict[str, Architecture] = {
    "vit_tiny16": Architecture("vit", "vit_tiny_patch16_224", {}),
    "vit_tiny8": Architecture("vit", "vit_tiny_patch16_224", {"patch_size": 8}),
    "vit_small16": Architecture("vit", "vit_small_patch16_224", {}),
    "vit_small8": Architecture("vit", "vit_small_patch8_224", {}),
    "resnet18": Architecture("resnet", "resnet18", {}),
    "resnet50": Architecture("resnet", "resnet50", {}),
    "vit_mini16": Architecture("vit", "vit_tiny_patch16_224", {"depth": 6}),
    "resnet10": Architecture("resnet", "resnet18", {"layers": (1, 1, 1, 1)}),
}


def build_network(config: BackboneConfig, *, drop_path: float = 0.0, seed: int = 0) -> nn.Module:
    """The timm network of a config, without classifier, randomly initialised.

    Vision transformers start as the published ones: weights of linear layers, class token and positions from a normal
    distribution of deviation 0.02 truncated at 2, biases 0, convolutions as torch does; ResNets as torchvision does
    (He, fan out). The network is made for three channels and folded to `config.channels`, so that the same seed gives
    the same function of a grey image for one channel and for three.

    Args:
        config: What to build.
        drop_path: Probability that a residual branch is left out in training, growing linearly from 0 in the first
            to this in the last block. ResNets of the table have none, as published.
        seed: Of the initialisation; the caller's random state stays as it was.

    Returns:
        The network in training mode. Names of its state are those of the published backbones.

    Raises:
        InputError: No such architecture, or one that takes no such image size or drop path.
    """
    if not 0 <= drop_path < 1:
        raise InputError(f"drop_path must be a probability from 0 to below 1, got drop_path={drop_path!r}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Any = create_timm(config, drop_path=drop_path)
        if is_vit(network):
            patch = int(network.patch_embed.patch_size[0])
            if config.image_size < patch:
                raise InputError(
                    f"image_size must be at least a patch of {patch} pixels, got image_size={config.image_size}."
                )
            for token in (network.cls_token, network.reg_token):
                if isinstance(token, nn.Parameter):
                    nn.init.trunc_normal_(token, std=0.02)
    set_channels(network, config.channels)
    return network


def create_timm(config: BackboneConfig, *, drop_path: float = 0.0, pretrained: bool = False) -> nn.Module:
    """The network for three channels as timm makes it.

    Raises:
        InputError: see `build_network`.
    """
    import timm

    family, name, changed = ARCHITECTURES.get(config.architecture, Architecture(None, config.architecture, {}))
    if family is None and not _known(name):
        known = [*ARCHITECTURES, *timm.list_models()]
        close = ", ".join(get_close_matches(name, known, n=3)) or ", ".join(ARCHITECTURES)
        raise InputError(f"architecture must be one of ours or a timm model, got {name!r}; did you mean {close}?")
    options: dict[str, Any] = {"num_classes": 0, "in_chans": 3, "pretrained": pretrained, **changed}
    if family == "resnet":
        options["zero_init_last"] = False
    elif drop_path:
        options["drop_path_rate"] = drop_path
    if family == "vit" or (family is None and _fixed_size(name)):
        options["img_size"] = config.image_size
    try:
        return timm.create_model(name, **options)
    except (TypeError, ValueError, AssertionError, ZeroDivisionError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"architecture {config.architecture} must take image_size={config.image_size} and drop_path={drop_path}, "
            f"got a refusal from timm ({cause}); change these or take another."
        ) from error


def _known(name: str) -> bool:
    import timm

    return ":" not in name and "/" not in name and timm.is_model(name.partition(".")[0])


def _fixed_size(name: str) -> bool:
    import timm

    settings = timm.get_pretrained_cfg(name, allow_unregistered=True)
    return settings is not None and bool(settings.fixed_input_size)
