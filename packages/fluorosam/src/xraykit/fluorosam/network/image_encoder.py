"""From an image to its embedding: trunk, neck and a normalisation."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from xraykit.render import InputError

from .channel_norm import ChannelNorm
from .config import FluoroSamConfig
from .trunk import new_trunk


class ImageEncoder(nn.Module):
    """One embedding for an image, whatever is then asked of it.

    Args:
        config: Of the whole network.

    Source: the layout of FluoroSAM (Killeen et al., MICCAI 2025).
    """

    def __init__(self, config: FluoroSamConfig) -> None:
        super().__init__()
        self.image_size = config.image_size
        self.trunk = new_trunk(config)
        self.neck = Neck(
            config.trunk.channels, config.neck_width, config.neck_blocks, config.dimension, grid=config.grid
        )
        self.norm = ChannelNorm(config.dimension, eps=1e-5)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, C, G, G) of prepared images.

        Args:
            images: (B, 3, S, S), three windows of an X-ray in [-1, 1]; (B, 1, S, S) is shown to all three.

        Raises:
            InputError: Images of another shape or type.
        """
        size = self.image_size
        fits = images.ndim == 4 and images.shape[1] in (1, 3) and tuple(images.shape[2:]) == (size, size)
        if not fits or not images.is_floating_point():
            raise InputError(
                f"images must be (B, 3, {size}, {size}) or (B, 1, {size}, {size}) floating-point numbers, got "
                f"{tuple(images.shape)} {images.dtype}; see prepare_windows."
            )
        return self.norm(self.neck(self.trunk(images.expand(-1, 3, -1, -1))))


class Neck(nn.Module):
    """Adds maps of several strides on one grid: 1 x 1 convolutions, bicubic resizing, sum, residual blocks.

    Args:
        channels: Of the maps, from the finest to the coarsest.
        width: Channels of the sum.
        blocks: Residual blocks after it.
        dimension: Channels that come out.
        grid: G, edge of what comes out [cells].
    """

    def __init__(self, channels: Sequence[int], width: int, blocks: int, dimension: int, *, grid: int) -> None:
        super().__init__()
        self.grid = grid
        self.inputs = nn.ModuleList(ConvNorm(each, width, 1) for each in reversed(channels))
        self.blocks = nn.ModuleList(_NeckBlock(width) for _ in range(blocks))
        self.output = nn.Conv2d(width, dimension, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """(B, dimension, G, G) of maps (B, C_i, H_i, W_i), from the finest to the coarsest."""
        each = zip(self.inputs, reversed(maps), strict=True)
        total, *others = (self._resized(layer(x)) for layer, x in each)
        for other in others:
            total = total + other
        for block in self.blocks:
            total = total + block(total)
        return self.output(total)

    def _resized(self, x: Tensor) -> Tensor:
        size = (self.grid, self.grid)
        return x if tuple(x.shape[2:]) == size else F.interpolate(x, size=size, mode="bicubic", align_corners=False)


class ConvNorm(nn.Module):
    """A convolution without bias, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, outputs, H, W)."""
        return self.norm(self.conv(x))


class _NeckBlock(nn.Module):
    """3 x 3 convolution, GELU (tanh), 1 x 1 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = ConvNorm(width, width, 3)
        self.point = ConvNorm(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.point(F.gelu(self.spatial(x), approximate="tanh"))
