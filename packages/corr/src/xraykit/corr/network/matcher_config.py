"""What builds a matcher: the config that travels with its weights, and the variants that have a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from xraykit.render import InputError

MatchModule = Literal["none", "superglue", "loftr", "standard_mp", "standard", "authors"]
"""The part between trunk and head that lets tokens attend; "authors" is the layer of the authors' partial code."""
MatchHead = Literal["sigmoid", "squared_cosine"]
TrunkNorm = Literal["batch", "frozen_batch", "group"]
InputContrast = Literal["global", "local"]
ALTERNATING = ("superglue", "loftr", "standard_mp", "authors")
_LARGEST = {"image_size": 8192, "dimension": 4096, "layers": 64, "heads": 64, "views": 64}


@dataclass(frozen=True)
class MatcherConfig:
    """Trunk, module and head of a matcher, and what its input is.

    Raises:
        InputError: A value outside its range, or values that do not go together.
    """

    trunk: str = "resnet50"
    """"mini" or any timm model that has maps at the stride"""
    stride: int = 16
    """Pixels of the image per patch, 8 or 16"""
    image_size: int = 256
    """Edge of the images that it was trained on [px]; it takes any multiple of the stride"""
    dimension: int = 384
    """D, length of a token"""
    module: MatchModule = "standard"
    """How tokens attend"""
    layers: int = 6
    """Layers of the module; half of them self and half cross where it alternates, 0 for none"""
    heads: int = 4
    """Attention heads a layer"""
    head: MatchHead = "sigmoid"
    """sigmoid(s cos + b), or cos squared as the authors' code has it"""
    density: float = 0.05
    """Share of matches that an untrained sigmoid head predicts"""
    norm: TrunkNorm = "batch"
    """Normalisation in the trunk; frozen_batch keeps statistics and weights of batch normalisation as loaded"""
    input_contrast: InputContrast = "global"
    """Grey values as they are, or relative to their surroundings of about a patch, see `LocalContrast`"""
    views: int = 4
    """View embeddings, hence the most views of module standard"""
    overlap_head: bool = False
    """Whether a second head tells if two views show the same part of one patient"""
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    """How an X-ray becomes input, for the data part; plain values"""

    def __post_init__(self) -> None:
        if not isinstance(self.trunk, str) or not 0 < len(self.trunk) <= 100:
            raise InputError(f"trunk must be a name, got {str(self.trunk)[:60]!r}.")
        choices = {"module": MatchModule, "head": MatchHead, "norm": TrunkNorm, "input_contrast": InputContrast}
        for name, options in choices.items():
            if getattr(self, name) not in get_args(options):
                raise InputError(f"{name} must be one of {', '.join(get_args(options))}, got {getattr(self, name)!r}.")
        if self.stride not in (8, 16) or isinstance(self.stride, bool):
            raise InputError(f"stride must be 8 or 16, got stride={self.stride!r}.")
        for name, most in _LARGEST.items():
            value, least = getattr(self, name), 0 if name == "layers" else 1
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise InputError(f"{name} must be a whole number from {least} to {most}, got {name}={value!r}.")
        if not isinstance(self.density, int | float) or not 0 < self.density < 1 or not math.isfinite(self.density):
            raise InputError(f"density must lie between 0 and 1, got density={self.density!r}.")
        if not isinstance(self.overlap_head, bool):
            raise InputError(f"overlap_head must be true or false, got {self.overlap_head!r}.")
        if not isinstance(self.preprocess, Mapping):
            raise InputError(f"preprocess must be a table of settings, got {type(self.preprocess).__name__}.")
        self._check_shape()

    def _check_shape(self) -> None:
        if self.image_size % self.stride:
            raise InputError(
                f"image_size must be a multiple of the stride {self.stride}, got image_size={self.image_size}."
            )
        if self.dimension % (4 * self.heads):
            raise InputError(
                f"dimension must be a multiple of 4 times heads, got dimension={self.dimension} and heads={self.heads}."
            )
        if (self.module == "none") != (self.layers == 0):
            raise InputError(
                f"module none has 0 layers and the others have some, got module={self.module!r} with "
                f"layers={self.layers}."
            )
        if self.module in ALTERNATING and self.layers % 2:
            raise InputError(
                f"module {self.module} alternates self and cross layers and needs an even number, got "
                f"layers={self.layers}."
            )

    @property
    def grid(self) -> int:
        """G, patches along an edge of the images that it was trained on."""
        return self.image_size // self.stride


NAMED: dict[str, MatcherConfig] = {
    "paper": MatcherConfig(),
    "paper-authors": MatcherConfig(dimension=512, module="authors", layers=8, heads=8, head="squared_cosine"),
    "small": MatcherConfig("resnet18", dimension=256, layers=6, norm="group"),
    "mini": MatcherConfig("mini", stride=8, image_size=128, dimension=96, layers=3, heads=3, norm="group"),
}
"""The paper's (19.6 M parameters), the authors' code's (23.8 M), one for a small GPU, and one for a laptop."""
