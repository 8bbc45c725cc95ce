"""The backbone: one call for vectors, maps and attention, the same for transformers and convolutional networks."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .backbone_config import BackboneConfig
from .build import build_network
from .features import FeatureMap, Features
from .one_channel import set_channels
from .vit import class_attention, embed_patches, is_vit, patch_map, quarter_depths, run_blocks


class Backbone(nn.Module):
    """A network without classifier that sees preprocessed X-rays, with the config that says how they are preprocessed.

    Args:
        config: What it is.
        network: The timm network of that config; the names of its state are those of the published checkpoints.

    Attributes:
        dimension: D, length of a pooled vector.
        trained_on: What it learned from, for people and results; no tensor.
    """

    def __init__(self, config: BackboneConfig, network: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.network: Any = network
        self.dimension: int = int(getattr(network, "head_hidden_size", None) or network.num_features)  # type: ignore[arg-type]
        self.trained_on: Mapping[str, object] = {}
        self._vit = is_vit(network)
        embed = getattr(network, "patch_embed", None)
        self._one_size = not self._vit and bool(getattr(embed, "strict_img_size", False))

    @property
    def patch(self) -> int | None:
        """Edge of a patch [px] of a vision transformer, None for other networks."""
        return int(self.network.patch_embed.patch_size[0]) if self._vit else None

    def forward(self, images: Tensor) -> Tensor:
        """Pooled features (B, D) of images (B, channels, H, W); gradients flow to images and weights."""
        return self.tokens(images)[0]

    def tokens(
        self, images: Tensor, *, masked: Tensor | None = None, mask_token: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Pooled features and normalised patch tokens, for training.

        Args:
            images: (B, channels, H, W).
            masked: (B, P) bool over the h x w whole patches, row by row; True ones are replaced by the mask token.
            mask_token: (D,), a parameter of the caller, so that the backbone's state stays the published one; None
                is zeros.

        Returns:
            (B, D), and (B, P, D) or None for a network other than a vision transformer.

        Raises:
            InputError: Images of another shape or type, or a mask that does not fit.
        """
        self._check(images)
        if not self._vit:
            if masked is not None:
                raise InputError(
                    f"masked patches need a vision transformer, got {self.config.architecture}; leave masked out."
                )
            return self.network(images), None
        if masked is not None:
            self._check_mask(masked, images)
        x, grid = embed_patches(self.network, images, self.config.position_resize, masked=masked, mask_token=mask_token)
        x, _, _ = run_blocks(self.network, x)
        return self.network.forward_head(x), x[:, -grid[0] * grid[1] :]

    def features(self, images: Tensor, *, attention: bool = False) -> Features:
        """Vectors, maps and, if asked for, the class token's attention in the last block.

        Args:
            images: (B, channels, H, W).
            attention: Whether to compute it; vision transformers only.

        Raises:
            InputError: Images of another shape or type, attention of a network that has none, or a timm model
                without maps.
        """
        self._check(images)
        if not self._vit:
            return self._stages(images, attention)
        vit = self.network
        depths = quarter_depths(len(vit.blocks))
        x, grid = embed_patches(vit, images, self.config.position_resize)
        x, kept, before = run_blocks(vit, x, depths)
        stride = int(vit.patch_embed.patch_size[0])
        maps = [FeatureMap(f"block{depth}", stride, patch_map(y, grid)) for depth, y in zip(depths, kept, strict=True)]
        return Features(vit.forward_head(x), tuple(maps), class_attention(vit, before, grid) if attention else None)

    def with_channels(self, channels: int) -> Backbone:
        """A copy for images of 1 or 3 channels that says the same of a grey image, up to rounding."""
        network = deepcopy(self.network)
        set_channels(network, channels)
        other = Backbone(replace(self.config, channels=channels), network).train(self.training)
        other.trained_on = dict(self.trained_on)
        return other

    def _stages(self, images: Tensor, attention: bool) -> Features:
        name = self.config.architecture
        if attention:
            raise InputError(f"attention needs a plain vision transformer, got {name}; leave attention out.")
        if not hasattr(self.network, "forward_intermediates"):
            raise InputError(f"maps need a timm model with forward_intermediates, got {name}; take another model.")
        info = list(self.network.feature_info)
        strides = [int(each["reduction"]) for each in info]
        if len(set(strides)) == 1:
            indices = [depth - 1 for depth in quarter_depths(len(info))]
        else:
            indices = [index for index, stride in enumerate(strides) if stride >= 4]
        last, maps = self.network.forward_intermediates(images, indices=indices)
        named = [(str(info[index]["module"]), strides[index]) for index in indices]
        return Features(
            self.network.forward_head(last),
            tuple(FeatureMap(*each, values) for each, values in zip(named, maps, strict=True)),
        )

    def _check(self, images: Tensor) -> None:
        channels = self.config.channels
        if images.ndim != 4 or images.shape[1] != channels or not images.is_floating_point():
            raise InputError(
                f"images must be floating point (B, {channels}, H, W), got {images.dtype} of shape "
                f"{tuple(images.shape)}; network_input makes them of any X-ray."
            )
        smallest = self.patch or 1
        if min(images.shape[-2:]) < smallest:
            raise InputError(
                f"images must be at least a patch of {smallest} pixels, got {tuple(images.shape[-2:])}; enlarge them."
            )
        size = self.config.image_size
        if self._one_size and tuple(images.shape[-2:]) != (size, size):
            raise InputError(
                f"images for {self.config.architecture} must be {size} x {size} pixels, got "
                f"{tuple(images.shape[-2:])}; resize them, or load it with another image_size."
            )

    def _check_mask(self, masked: Tensor, images: Tensor) -> None:
        patches = (images.shape[-2] // (self.patch or 1)) * (images.shape[-1] // (self.patch or 1))
        if masked.dtype != torch.bool or tuple(masked.shape) != (len(images), patches):
            raise InputError(
                f"masked must be bool of shape {(len(images), patches)}, got {masked.dtype} of shape "
                f"{tuple(masked.shape)}."
            )


def new_backbone(config: BackboneConfig, *, drop_path: float = 0.0, seed: int) -> Backbone:
    """A backbone with random weights, in training mode, see `build_network`.

    Raises:
        InputError: No such architecture, or one that takes no such image size or drop path.
    """
    return Backbone(config, build_network(config, drop_path=drop_path, seed=seed))
