"""Settings of the screw probe: the detector, its loss, its training. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from xraykit.render import InputError
from xraykit.render.training import check_positive


@dataclass(frozen=True)
class DetectorSettings:
    """The sparse deformable DETR that reads frozen feature maps."""

    width: int = 64
    """Channels of every token."""
    heads: int = 4
    """Attention heads; even, since half of them look at the head of a screw and half at its tip."""
    points: int = 4
    """Places that each head samples on each level."""
    strides: tuple[int, ...] = (8, 16, 32)
    """Pyramid that is made of the backbone's maps, fine to coarse [px]; powers of two."""
    encoder_layers: int = 2
    """Layers that refine the kept tokens."""
    decoder_layers: int = 3
    """Layers that refine the queries."""
    feedforward: int = 256
    """Width inside each feed-forward block."""
    queries: int = 20
    """Screws that an image can have at most."""
    keep: float = 0.3
    """Share of tokens that the encoder refines (rho), above 0 to 1; 1 is a dense encoder."""
    dropout: float = 0.0
    """Share of activations dropped while training."""


@dataclass(frozen=True)
class DetectionLossSettings:
    """Weights of the loss, and of the same terms where predictions are matched with the truth."""

    objectness: float = 2.0
    """Of the focal loss."""
    keypoints: float = 10.0
    """Of the mean L1 distance of a screw's keypoints, in widths and heights of the image."""
    similarity: float = 2.0
    """Of 1 - OKS."""
    attention: float = 1.0
    """Of the scores' loss against what the decoder attended to."""
    alpha: float = 0.25
    """Focal weight of true screws."""
    gamma: float = 2.0
    """Focal exponent."""


@dataclass(frozen=True)
class DetectorTrainingSettings:
    """How the detector learns."""

    steps: int = 1500
    """Batches."""
    batch: int = 8
    """Images in each."""
    rate: float = 1e-3
    """Peak learning rate of AdamW; sampling offsets learn at a tenth of it."""
    weight_decay: float = 1e-4
    """Of AdamW."""
    warmup: int = 50
    """Batches to the peak rate; a cosine follows down to 0."""
    clip: float = 0.1
    """Longest gradient of all parameters together; 0 for any."""


@dataclass(frozen=True)
class ScrewSettings:
    """All settings of the screw probe.

    Raises:
        InputError: A number outside its range.
    """

    detector: DetectorSettings = field(default_factory=DetectorSettings)
    loss: DetectionLossSettings = field(default_factory=DetectionLossSettings)
    training: DetectorTrainingSettings = field(default_factory=DetectorTrainingSettings)
    half_distance: float = 30.0
    """Distance at which a keypoint's similarity is a half [px of the images as given]; the paper's 30, whose size of
    image is not told."""

    def __post_init__(self) -> None:
        detector, training = self.detector, self.training
        sizes = ("width", "heads", "points", "encoder_layers", "decoder_layers", "feedforward", "queries", "keep")
        check_positive(detector, sizes, or_zero=("dropout",))
        check_positive(self.loss, ("gamma",), or_zero=("objectness", "keypoints", "similarity", "attention"))
        check_positive(training, ("steps", "batch", "rate"), or_zero=("weight_decay", "warmup", "clip"))
        check_positive(self, ("half_distance",))
        if detector.keep > 1 or detector.dropout >= 1 or not 0 < self.loss.alpha < 1:
            raise InputError(
                "keep must lie above 0 and up to 1, dropout from 0 to below 1 and alpha between 0 and 1, got "
                f"keep={detector.keep}, dropout={detector.dropout} and alpha={self.loss.alpha}."
            )
        if detector.heads % 2 or detector.width % detector.heads or detector.width % 8:
            raise InputError(
                "heads must be even, and width a multiple of heads and of 8, "
                f"got heads={detector.heads} and width={detector.width}."
            )
        strides = detector.strides
        if not strides or any(one < 1 or math.log2(one) % 1 for one in strides) or list(strides) != sorted({*strides}):
            raise InputError(f"strides must be different powers of two from fine to coarse, got {strides}.")
