"""Any radiograph as linear intensity, bone dark; what had to be assumed for it is said."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError, Radiograph
from xraykit.render.radiographs import relative_line_integrals

E_FOLDS = 4.0
"""Span of -ln(I) between the quantiles where no gain is known: from open beam to bone in soft tissue, exp(-4) = 2 %."""
QUANTILES = (0.005, 0.995)
MOST_VALUES = 1_000_000  # looked at for the quantiles


def linear_intensity(radiograph: Radiograph) -> tuple[Tensor, tuple[str, ...]]:
    r"""The intensity of every frame, and what was assumed.

    intensity and inverted_intensity give it directly, line integrals L whose file says so as exp(-L). Where values are
    logarithmic or processed for display, and so known up to a gain alone, L is the value scaled such that its 0.5 % and
    99.5 % quantiles over all frames lie 4 e-folds apart: then a picture with 8 bits and its raw frame look alike to
    `preprocess`, which is free of scale but not of contrast.

    Returns:
        (frames, H, W) float32, 0 or more, on any scale; and one sentence for each assumption.

    Raises:
        InputError: Nothing in it is above zero.
    """
    origin = radiograph.provenance.get("polarity")
    assumed = origin is not None and origin.is_assumed
    notes = [f"polarity {radiograph.polarity} is assumed ({origin.note})"] if assumed and origin is not None else []
    if radiograph.polarity in ("intensity", "inverted_intensity"):
        pixels = radiograph.to_intensity().pixels.clamp_min(0)
        if not bool((pixels > 0).any()):
            raise InputError(f"{radiograph.source} must hold intensities above zero, got none; state its polarity.")
    elif radiograph.polarity == "line_integral" and not assumed:
        pixels = _transmission(radiograph.pixels)
    else:
        pixels = _transmission(_scaled(relative_line_integrals(radiograph).pixels))
        notes.append(f"the gain is unknown: the contrast is set to {E_FOLDS:g} e-folds of intensity")
    return pixels.float(), tuple(notes)


def _transmission(lines: Tensor) -> Tensor:
    """exp(-L), at most 1."""
    return torch.exp(lines.amin() - lines)


def _scaled(values: Tensor) -> Tensor:
    sample = values.flatten()
    sample = sample[:: max(1, sample.numel() // MOST_VALUES)]
    low, high = torch.quantile(sample, torch.tensor(QUANTILES, dtype=sample.dtype)).tolist()
    if not high > low:
        low, high = float(values.min()), float(values.max())
    return (values - low) * (E_FOLDS / (high - low) if high > low else 1.0)
