"""A trunk for laptops: strided and residual convolutions with normalisation, a few hundred thousand weights."""

from __future__ import annotations

from torch import Tensor, nn

_GROUPS = 8


class MiniTrunk(nn.Module):
    """Maps of an image (B, 1, S, S) at stride 8 or 16.

    A 4 x 4 convolution of stride 4, then one stage at stride 4, 8 and, where asked for, 16; a stage is a 3 x 3
    convolution (of stride 2 but for the first) and residual blocks of two. A normalisation and ReLU follow each.

    Args:
        stride: 8 or 16.
        widths: Channels of the stages at stride 4, 8, 16.
        blocks: Residual blocks of each stage.
        norm: "group", of 8 groups, for small batches; "batch" normalises over the batch.

    Attributes:
        channels: Of the maps.
    """

    def __init__(
        self,
        stride: int,
        *,
        widths: tuple[int, ...] = (32, 64, 128),
        blocks: tuple[int, ...] = (0, 2, 2),
        norm: str = "group",
    ) -> None:
        super().__init__()
        stages = {8: 2, 16: 3}[stride]
        self.stem = nn.Sequential(nn.Conv2d(1, widths[0], 4, 4, bias=False), _norm(norm, widths[0]), nn.ReLU())
        inputs = (widths[0], *widths)
        self.stages = nn.Sequential(
            *(_stage(inputs[n], widths[n], blocks[n], 1 if n == 0 else 2, norm) for n in range(stages))
        )
        self.channels = widths[stages - 1]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, S / stride, S / stride)."""
        return self.stages(self.stem(images))


class ResidualBlock(nn.Module):
    """relu(x + f(x)), f two 3 x 3 convolutions; starts as relu(x)."""

    def __init__(self, width: int, norm: str) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            _norm(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            _norm(norm, width),
        )
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        return self.act(x + self.inner(x))


def _stage(inputs: int, width: int, blocks: int, stride: int, norm: str) -> nn.Sequential:
    first = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
    return nn.Sequential(first, _norm(norm, width), nn.ReLU(), *(ResidualBlock(width, norm) for _ in range(blocks)))


def _norm(kind: str, width: int) -> nn.Module:
    return nn.GroupNorm(_GROUPS, width) if kind == "group" else nn.BatchNorm2d(width)
