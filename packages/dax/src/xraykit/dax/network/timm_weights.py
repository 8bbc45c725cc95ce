"""Pretrained weights of timm, learned from photographs, as backbones for grey X-rays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xraykit.render import FileError

from ..data.settings import PreprocessSettings
from .backbone import Backbone
from .backbone_config import BackboneConfig
from .build import ARCHITECTURES, create_timm
from .one_channel import absorb_standardization, set_channels


def timm_backbone(name: str) -> Backbone:
    """timm's pretrained network for one channel, its colour standardisation folded into mean, std and weights.

    Args:
        name: A timm model, with or without the tag of its weights, or a key of ARCHITECTURES.

    Returns:
        In evaluation mode; `config.preprocess` has version A and the mean and std of a grey image.

    Raises:
        InputError: No such model.
        FileError: timm has no weights for it, or they cannot be had here.
    """
    import timm

    timm_name = ARCHITECTURES[name].timm if name in ARCHITECTURES else name
    settings: Any = timm.get_pretrained_cfg(timm_name, allow_unregistered=True)
    size = int(settings.input_size[-1]) if settings is not None else 224
    config = BackboneConfig(name, image_size=size, preprocess=PreprocessSettings(size=size))
    try:
        network = create_timm(config, pretrained=True)
    except (RuntimeError, OSError) as error:
        cause = " ".join(str(error).split())[:200]
        raise FileError(
            f"timm's pretrained weights of {name} must be in its cache or on the hub, got neither ({cause}); check "
            "the name and the connection."
        ) from error
    facts: Any = network.pretrained_cfg
    mean, std = absorb_standardization(network, facts["mean"], facts["std"])
    set_channels(network, config.channels)
    backbone = Backbone(replace(config, preprocess=replace(config.preprocess, mean=mean, std=std)), network).eval()
    backbone.trained_on = {"source": f"timm:{name}", "weights": str(facts.get("tag") or "default")}
    return backbone
