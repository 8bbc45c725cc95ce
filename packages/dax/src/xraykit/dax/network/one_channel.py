"""Networks for colour that see grey: the first convolution summed over its input channels, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError


def convert_channels(weight: Tensor, channels: int) -> Tensor:
    """The weight (D, C, h, w) of a first convolution for grey images in `channels` equal channels.

    To one channel it is the sum over the inputs; from one channel to n it is weight / n in each. The output for an
    image repeated over the channels stays the same, up to rounding.

    Args:
        weight: (D, C, h, w).
        channels: Of the input wanted.

    Returns:
        (D, channels, h, w); `weight` itself if it has them.
    """
    if weight.shape[1] == channels:
        return weight
    return (weight.sum(1, keepdim=True) / channels).expand(-1, channels, -1, -1).contiguous()


def set_channels(network: nn.Module, channels: int) -> None:
    """Change a timm network in place to one for grey images in `channels` equal channels, see `convert_channels`."""
    for conv in first_convolutions(network).values():
        weight = conv.weight
        conv.weight = nn.Parameter(convert_channels(weight.detach(), channels), requires_grad=weight.requires_grad)
        conv.in_channels = channels
    if hasattr(network, "in_chans"):
        network.in_chans = channels  # type: ignore[assignment]


def first_convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions of a timm network that see the image, by name."""
    settings: Any = network.default_cfg
    names = settings["first_conv"]
    names = (names,) if isinstance(names, str) else tuple(names or ())
    found = {name: network.get_submodule(name) for name in names}
    return {name: module for name, module in found.items() if isinstance(module, nn.Conv2d)}


@torch.no_grad()
def absorb_standardization(network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> tuple[float, float]:
    """Replace a colour standardisation by a grey one, in place.

    Grey images x in three channels (x - mean_c) / std_c become (x - m) / s with m and s the means of `mean` and `std`:
    weight_c *= s / std_c, and what remains, the constant (m - mean_c) / std_c, goes through the convolution into its
    bias, or into the running mean of the normalisation that follows it. Exact where all means are equal and for patch
    embeddings; elsewhere exact but for the zero padding at the border of the image.

    Args:
        network: With three input channels.
        mean: Of its three channels.
        std: Of its three channels.

    Returns:
        m and s.

    Raises:
        InputError: Unequal means, and neither a bias nor a normalisation that could take the constant.
    """
    m, s = sum(mean) / len(mean), sum(std) / len(std)
    for conv in first_convolutions(network).values():
        means, stds = conv.weight.new_tensor(mean), conv.weight.new_tensor(std)
        constant = torch.einsum("dchw,c->d", conv.weight, (m - means) / stds)
        conv.weight.mul_((s / stds)[:, None, None])
        if conv.bias is not None:
            conv.bias.add_(constant)
        elif (norm := _norm_after(network, conv)) is not None and norm.running_mean is not None:
            norm.running_mean.sub_(constant)
        elif float(constant.abs().max()) > 0:
            raise InputError(
                "a colour standardisation with unequal means needs a first convolution with a bias or a batch "
                "normalisation after it, got neither; take another network."
            )
    return m, s


def _norm_after(network: nn.Module, conv: nn.Conv2d) -> nn.BatchNorm2d | None:
    modules = list(network.modules())
    following = modules[modules.index(conv) + 1 :][:1]
    fits = [m for m in following if isinstance(m, nn.BatchNorm2d) and m.num_features == conv.out_channels]
    return fits[0] if fits else None
