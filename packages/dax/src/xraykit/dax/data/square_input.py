"""An X-ray as the square input of a network, and where its pixels went."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .frame_codes import reduced
from .preprocessing import preprocess, standardise
from .settings import PreprocessSettings
from .square import SquareMap, square_map


def network_square(
    intensity: Tensor, settings: PreprocessSettings, *, field: Tensor | None = None
) -> tuple[Tensor, SquareMap]:
    """What a network sees of an X-ray: reduced as its training images were, preprocessed, made square, standardised.

    Args:
        intensity: (H, W), bone dark, on any scale.
        settings: Those of the network, `backbone.config.preprocess`.
        field: Exposed field, (H, W) bool; needed where the settings want it.

    Returns:
        (S, S) float32, S = `settings.size`, and the map between pixels of the X-ray as given and of the square.

    Raises:
        InputError: as `preprocess`.
    """
    height, width = (int(side) for side in intensity.shape)
    small, seen, steps = intensity, field, settings
    if settings.longest is not None:
        small = reduced(intensity.to(torch.float32), settings.longest)
        seen = None if field is None else reduced(field.to(torch.float32), settings.longest) >= 0.5
        steps = replace(settings, lowpass=settings.lowpass * max(small.shape) / max(height, width))
    image = preprocess(small, steps, field=seen)
    inner = square_map(*image.shape, size=settings.size, fit=settings.fit)
    outer = square_map(height, width, size=settings.size, fit=settings.fit)
    return standardise(inner.resized(image), settings), outer
