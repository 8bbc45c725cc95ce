"""The convolutional trunk: any timm model up to stride 8 or 16, or the mini one, for one grey channel."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .mini_trunk import MiniTrunk

MEAN, STD = 0.45, 0.225
"""Of a grey pixel of photographs, as published weights expect it."""


class Trunk(nn.Module):
    """Maps of images: the input is standardised, (x - 0.45) / 0.225, and goes through the network.

    Args:
        name: "mini" or a timm model.
        stride: 8 or 16.
        norm: "batch" keeps the model's own normalisation; "frozen_batch" leaves its statistics and weights as they
            are, also in training; "group" puts GroupNorm (32 groups, 8 in "mini") in its place.

    Attributes:
        channels: Of the maps.

    Raises:
        InputError: No such model, no maps at that stride, or a normalisation that it does not take.
    """

    def __init__(self, name: str, *, stride: int = 16, norm: str = "batch") -> None:
        super().__init__()
        self.stride, self.frozen = stride, norm == "frozen_batch"
        if name == "mini":
            self.network: Any = MiniTrunk(stride, norm="group" if norm == "group" else "batch")
            self.channels = self.network.channels
        else:
            self.network = _timm_trunk(name, stride, norm)
            self.channels = int(self.network.feature_info.channels()[-1])
        if self.frozen:
            for layer in self._batch_norms():
                layer.requires_grad_(False)
            self.train(self.training)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, S / stride, S / stride) of images (B, 1, S, S) in [0, 1], bone bright."""
        maps = self.network((images - MEAN) / STD)
        return maps[-1] if isinstance(maps, list) else maps

    def train(self, mode: bool = True) -> Trunk:
        """As in torch; frozen statistics stay frozen."""
        super().train(mode)
        if self.frozen:
            for layer in self._batch_norms():
                layer.eval()
        return self

    def _batch_norms(self) -> list[nn.Module]:
        return [m for m in self.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def _timm_trunk(name: str, stride: int, norm: str) -> nn.Module:
    """The model's layers up to the last map at `stride`, with random weights."""
    import timm
    from timm.layers.norm import GroupNorm

    if ":" in name or "/" in name or not timm.is_model(name.partition(".")[0]):
        close = ", ".join(get_close_matches(name, ["mini", *timm.list_models()], n=3) or ["mini", "resnet50"])
        raise InputError(f"trunk must be 'mini' or a timm model, got {name!r}; did you mean {close}?")
    options: dict[str, Any] = {"norm_layer": partial(GroupNorm, num_groups=32, eps=1e-5)} if norm == "group" else {}
    try:
        reductions = _reductions(name, options)
        if stride not in reductions:
            raise InputError(
                f"trunk {name} must have maps at stride {stride}, got strides {', '.join(map(str, reductions))}; take "
                "another model or stride."
            )
        last = len(reductions) - 1 - reductions[::-1].index(stride)
        return timm.create_model(name, pretrained=False, in_chans=1, features_only=True, out_indices=(last,), **options)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError, AssertionError, KeyError, AttributeError, IndexError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"trunk {name} must be made for grey images with norm={norm!r}, got a refusal from timm ({cause}); choose "
            "another model or norm='batch'."
        ) from error


def _reductions(name: str, options: dict[str, Any]) -> list[int]:
    """Strides of the model's maps, found without memory for weights."""
    import timm

    with torch.device("meta"):
        model: Any = timm.create_model(name, pretrained=False, in_chans=1, features_only=True, **options)
    return [int(each) for each in model.feature_info.reduction()]
