"""One X-ray as the network sees it, with its polarity stated and the way back to its own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from xraykit.render import InputError

from ..network.config import FluoroSamConfig
from .padded_square import PaddedSquare
from .windows import three_windows

BoneTone = Literal["bright", "dark"]
"""Whether bone is bright (as a DRR, or in a hospital's picture) or dark (as in the detector's intensity)."""


@dataclass(frozen=True)
class NetworkInput:
    """A prepared X-ray.

    Args:
        image: (3, S, S) float32 in [-1, 1], 0 in the padding.
        square: Where its pixels lie there.
    """

    image: Tensor
    square: PaddedSquare


def prepare_windows(image: Tensor, config: FluoroSamConfig, *, bone: BoneTone) -> NetworkInput:
    """Three windows of an X-ray on the network's square.

    Windows are found with bone dark, at full resolution, whichever way the image comes: so an X-ray and its negative
    give the same input. `config.input` says whether they are then shown bone bright.

    Args:
        image: (H, W), grey values of any range; logarithmic ones are what networks here learn from.
        config: Of the network.
        bone: What bone is in this image; nothing is guessed.

    Raises:
        InputError: No grey image, NaN or infinity, or another tone.
    """
    if bone not in get_args(BoneTone):
        raise InputError(f"bone must be 'bright' or 'dark', got {str(bone)[:40]!r}.")
    grey = image.double() if image.ndim == 2 and not image.is_complex() else image
    windows = three_windows(-grey if bone == "bright" else grey, samples=config.input.samples)
    if config.input.inverted:
        windows = 1 - windows
    square = PaddedSquare(image.shape[0], image.shape[1], config.image_size)
    small = square.resized(windows, antialias=config.input.antialias, fill=0.5)
    return NetworkInput((small - 0.5) / 0.5, square)
