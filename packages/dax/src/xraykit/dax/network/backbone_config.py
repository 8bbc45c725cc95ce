"""What builds a backbone and what its input must be: the config that travels with the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from xraykit.render import InputError

from ..data.settings import PreprocessSettings


@dataclass(frozen=True)
class BackboneConfig:
    """An architecture, its input, and the preprocessing that its weights were trained with.

    Args:
        architecture: A key of ARCHITECTURES or any timm model.
        channels: Of the input: 1, or 3 equal ones as published.
        image_size: Edge of the square input that the position embeddings are for [px].
        position_resize: How position embeddings are brought to other sizes, see `resize_positions`.
        preprocess: What turns an X-ray into the input.

    Raises:
        InputError: A value outside its range.
    """

    architecture: str
    channels: int = 1
    image_size: int = 224
    position_resize: Literal["size", "published"] = "size"
    preprocess: PreprocessSettings = field(default_factory=PreprocessSettings)

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, str) or not 0 < len(self.architecture) <= 100:
            raise InputError(f"architecture must be a name, got {str(self.architecture)[:60]!r}.")
        if self.channels not in (1, 3) or isinstance(self.channels, bool):
            raise InputError(f"channels must be 1 or 3, got channels={self.channels!r}.")
        if not isinstance(self.image_size, int) or isinstance(self.image_size, bool) or not 0 < self.image_size <= 8192:
            raise InputError(f"image_size must be a whole number from 1 to 8192, got image_size={self.image_size!r}.")
        if self.position_resize not in ("size", "published"):
            raise InputError(f"position_resize must be 'size' or 'published', got {self.position_resize!r}.")
