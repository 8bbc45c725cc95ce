"""The bias of a new head: set so that it predicts as many matches as there are."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError

from .head import SigmoidHead
from .matcher import MatchNetwork

_STEPS, _WIDEST = 50, 60.0


@torch.no_grad()
def calibrate_head(network: MatchNetwork, images: Tensor, *, density: float | None = None) -> MatchNetwork:
    """The network itself with the b0 for which its mean prediction on these images is `density`; all else stays.

    The tokens of an untrained trunk are nearly parallel, s a . b is near s for all patches, and with b0 =
    logit(density) the sigmoid would start saturated at 1, where a squared error has hardly a gradient. Calibrated, a
    squared error starts at density (1 - density). A head without bias stays as it is.

    Args:
        network: Changed in place, in the mode that it is in.
        images: (B, V, 1, S, S) as for `MatchNetwork.forward`; those of a training, where there are some.
        density: From 0 to 1; None is the config's.

    Raises:
        InputError: A density outside its range, or images that do not fit.
    """
    density = network.config.density if density is None else density
    if not 0 < density < 1:
        raise InputError(f"density must lie between 0 and 1, got density={density!r}.")
    if not isinstance(network.head, SigmoidHead):
        return network
    kept = {name: value.clone() for name, value in network.named_buffers()}
    logits = network(images).logits
    for name, value in network.named_buffers():
        value.copy_(kept[name])
    if logits is not None:
        network.head.bias.add_(_shift(logits.double(), density))
    return network


def _shift(logits: Tensor, density: float) -> float:
    """What must be added to the logits for a mean probability of `density`, by bisection."""
    low, high = -_WIDEST, _WIDEST
    for _ in range(_STEPS):
        middle = (low + high) / 2
        too_many = float((logits + middle).sigmoid().mean()) > density
        low, high = (low, middle) if too_many else (middle, high)
    return (low + high) / 2


def smooth_noise(stride: int) -> Tensor:
    """Images (2, 2, 1, 8 stride, 8 stride) of soft blobs from 0 to 1, from torch's random numbers."""
    small = torch.rand(4, 1, 6, 6)
    size = (8 * stride, 8 * stride)
    smooth = torch.nn.functional.interpolate(small, size, mode="bicubic", align_corners=False)
    return smooth.clamp(0, 1).unflatten(0, (2, 2))
