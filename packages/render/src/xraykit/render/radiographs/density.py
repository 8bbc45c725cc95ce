"""Line integrals of a radiograph whose open beam nobody states: right up to an offset and, processed, a gain."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InputError
from .radiograph import Radiograph

OPEN_BEAM = 0.995  # quantile of the intensities
MOST_VALUES = 1_000_000  # looked at for the quantile


def relative_line_integrals(radiograph: Radiograph) -> Radiograph:
    r"""The radiograph as values that grow with density, whatever its polarity.

    Intensities become -ln(I / I0) with I0 their 99.5th percentile over all frames; zeros count as half the smallest
    positive intensity. Values already logarithmic or processed for display keep their own scale, bone bright. Line
    integrals stay.

    Returns:
        A radiograph of polarity "line_integral".

    Raises:
        InputError: No intensity is above zero.

    Gradients: to the pixels; zero at the floor.
    """
    if radiograph.polarity == "line_integral":
        return radiograph
    if radiograph.polarity in ("log_intensity", "log_attenuation"):
        return radiograph.to_line_integrals(unattenuated="auto", log_gain=1.0)
    intensity = radiograph.to_intensity()
    positive = intensity.pixels[intensity.pixels > 0]
    if positive.numel() == 0:
        raise InputError(f"{radiograph.source} must hold intensities above zero, got none; state its polarity.")
    brightest = max(float(_open_beam(positive)), float(positive.min()))
    floor = min(0.5, max(1e-6, 0.5 * float(positive.min()) / brightest))
    return intensity.to_line_integrals(unattenuated=brightest, floor=floor)


def _open_beam(values: Tensor) -> Tensor:
    return torch.quantile(values[:: max(1, values.numel() // MOST_VALUES)], OPEN_BEAM)
