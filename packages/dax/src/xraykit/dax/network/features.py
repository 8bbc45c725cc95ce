"""What a backbone says of images: one vector each, maps at several depths, and attention."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Features on a grid over the image.

    Args:
        name: Where in the network: "block3" after the third block of a transformer, "layer1" of a ResNet.
        stride: Pixels of the image per cell of the grid.
        values: (B, C, h, w).
    """

    name: str
    stride: int
    values: Tensor


@dataclass(frozen=True, eq=False)
class Features:
    """What a backbone says of a batch of images.

    Args:
        pooled: (B, D): the class token of a transformer, the global average of a convolutional network.
        maps: From shallow to deep. A transformer's are those after 1/4, 1/2, 3/4 and all of its blocks, normalised.
        attention: (B, heads, h, w), by how much the class token looks at each patch in the last block, rows of the
            softmax without its share for the class token: sums to at most 1 over h, w. None if not asked for.
    """

    pooled: Tensor
    maps: tuple[FeatureMap, ...]
    attention: Tensor | None = None

    def float(self) -> Features:
        """The same in float32, after mixed precision."""
        maps = tuple(replace(each, values=each.values.float()) for each in self.maps)
        return Features(self.pooled.float(), maps, None if self.attention is None else self.attention.float())

    def at(self, stride: int) -> tuple[FeatureMap, ...]:
        """The maps on one grid of `stride` pixels per cell.

        Finer ones are averaged, coarser ones interpolated bilinearly (cell centres kept). All get the size that the
        finest map has at that stride, rounded up.

        Raises:
            InputError: A stride that is no positive whole number, or no maps.
        """
        if not isinstance(stride, int) or isinstance(stride, bool) or stride < 1:
            raise InputError(f"stride must be a whole number of pixels from 1, got stride={stride!r}.")
        if not self.maps:
            raise InputError("maps are needed, got features without any; ask the backbone for its features().")
        finest = min(self.maps, key=lambda each: each.stride)
        height, width = (max(1, -(-edge * finest.stride // stride)) for edge in finest.values.shape[-2:])
        size = (height, width)
        return tuple(replace(each, stride=stride, values=_resized(each, size, stride)) for each in self.maps)


def _resized(each: FeatureMap, size: tuple[int, int], stride: int) -> Tensor:
    if tuple(each.values.shape[-2:]) == size:
        return each.values
    if each.stride < stride:
        return F.adaptive_avg_pool2d(each.values, size)
    return F.interpolate(each.values, size, mode="bilinear", align_corners=False)
