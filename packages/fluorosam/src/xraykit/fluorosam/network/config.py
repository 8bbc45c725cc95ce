"""What builds a network: the config that travels with its weights, and the variants that have a name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from xraykit.render import InputError

TrunkKind = Literal["swin", "conv"]
TextActivation = Literal["quick_gelu", "gelu"]
QuantiserKind = Literal["euclidean", "cosine", "off"]


def _check_whole(name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}, got {value!r}.")


def _check_choice(name: str, value: object, options: tuple[str, ...]) -> None:
    if value not in options:
        raise InputError(f"{name} must be one of {', '.join(options)}, got {str(value)[:60]!r}.")


@dataclass(frozen=True)
class InputConfig:
    """How an X-ray becomes the network's input, see `three_windows`."""

    inverted: bool = True
    """Windows are found with bone dark and then shown bone bright; false shows them as found."""
    antialias: bool = True
    """Average while an X-ray is made smaller; the published network learned without."""
    samples: int = 1000
    """About how many pixels the two clusters of grey values are found from."""

    def __post_init__(self) -> None:
        _check_whole("samples", self.samples, 2, 1 << 24)


@dataclass(frozen=True)
class TrunkConfig:
    """The part that sees the image: maps at strides 4, 8, 16 and 32."""

    kind: TrunkKind = "swin"
    """A Swin transformer, or convolutions with group normalisation"""
    width: int = 192
    """Channels of the first map of a Swin, doubled from map to map; convolutions have width, 2, 4 and 6 times it"""
    depths: tuple[int, int, int, int] = (2, 2, 18, 2)
    """Blocks before each map"""
    heads: tuple[int, int, int, int] = (6, 12, 24, 48)
    """Attention heads of a Swin in each stage"""
    window: int = 7
    """Edge of a Swin's windows [cells]"""
    drop_path: float = 0.2
    """Share of a Swin's residual branches that the last block leaves out in training"""
    detail: int = 0
    """Channels in which a finer map, at stride 2, is made beside the four for the masks alone; 0: none"""

    def __post_init__(self) -> None:
        _check_choice("trunk.kind", self.kind, get_args(TrunkKind))
        _check_whole("trunk.width", self.width, 8, 1024)
        _check_whole("trunk.window", self.window, 1, 64)
        for name in ("depths", "heads"):
            for value in getattr(self, name):
                _check_whole(f"trunk.{name}", value, 1, 64)
        if not (0 <= self.drop_path < 1):
            raise InputError(f"trunk.drop_path must be from 0 to below 1, got {self.drop_path!r}.")
        if self.kind == "swin" and any(c % h for c, h in zip(self.channels, self.heads, strict=True)):
            raise InputError(f"trunk.heads must divide {self.channels}, got {self.heads}.")
        _check_whole("trunk.detail", self.detail, 0, 256)
        if self.detail % 8:
            raise InputError(f"trunk.detail must be 0 or a multiple of 8, got {self.detail}.")
        if self.kind == "conv" and self.width % 8:
            raise InputError(f"trunk.width of convolutions must be a multiple of 8, got {self.width}.")

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Of the four maps."""
        a, b, c, d = (1, 2, 4, 8) if self.kind == "swin" else (1, 2, 4, 6)
        return a * self.width, b * self.width, c * self.width, d * self.width


@dataclass(frozen=True)
class TextConfig:
    """The text tower: CLIP's transformer on CLIP's vocabulary."""

    width: int = 512
    """Length of a token"""
    layers: int = 12
    """Transformer layers"""
    heads: int = 8
    """Attention heads a layer"""
    dimension: int = 512
    """D, length of the features of a text"""
    token_width: int = 0
    """Length of the vocabulary's table where it is smaller than a token, which then comes from it linearly; 0: none"""
    context: int = 77
    """Most tokens of a text, with its start and end"""
    frozen: bool = True
    """Not trained with the rest, as CLIP's is"""
    activation: TextActivation = "quick_gelu"
    """x sigmoid(1.702 x), as OpenAI's CLIP has it, or GELU; the wrong one gives wrong features"""
    presence: int = 0
    """Hidden units of the head that says whether an image shows what a text asks for; 0: none"""

    def __post_init__(self) -> None:
        for name, most in (("width", 2048), ("layers", 48), ("heads", 64), ("dimension", 4096), ("context", 77)):
            _check_whole(f"text.{name}", getattr(self, name), 3 if name == "context" else 1, most)
        _check_whole("text.token_width", self.token_width, 0, self.width)
        _check_whole("text.presence", self.presence, 0, 1024)
        _check_choice("text.activation", self.activation, get_args(TextActivation))
        if self.width % self.heads:
            raise InputError(f"text.width must be a multiple of heads={self.heads}, got width={self.width}.")


@dataclass(frozen=True)
class QuantiserConfig:
    """The codebook that texts are rounded to."""

    kind: QuantiserKind = "euclidean"
    """Which code is nearest: by distance, by angle, or off for texts as they are"""
    codes: int = 8192
    """K, entries of the codebook"""
    commitment: float = 1.0
    """Weight of the term that draws texts to their codes"""

    def __post_init__(self) -> None:
        _check_choice("quantiser.kind", self.kind, get_args(QuantiserKind))
        _check_whole("quantiser.codes", self.codes, 1, 1 << 20)
        if not (math.isfinite(self.commitment) and self.commitment >= 0):
            raise InputError(f"quantiser.commitment must be 0 or more, got {self.commitment!r}.")


@dataclass(frozen=True)
class FluoroSamConfig:
    """The whole network; the defaults are those of the published weights.

    Raises:
        InputError: A value outside its range, or values that do not go together.
    """

    image_size: int = 448
    """S, edge of the square image [px]"""
    grid: int = 64
    """G, cells along an edge of the image embedding; masks have 8 G pixels, mask prompts 4 G"""
    dimension: int = 256
    """C, channels of the image embedding and length of a prompt token"""
    neck_width: int = 128
    """Channels in which the four maps are added"""
    neck_blocks: int = 3
    """Convolutional blocks after the addition"""
    decoder_width: int = 2048
    """Hidden channels in the decoder's layers"""
    heads: int = 8
    """Attention heads of the decoder"""
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    """What sees the image"""
    text: TextConfig = field(default_factory=TextConfig)
    """What reads the words"""
    quantiser: QuantiserConfig = field(default_factory=QuantiserConfig)
    """The codebook of texts"""
    input: InputConfig = field(default_factory=InputConfig)
    """How an X-ray becomes input"""
    drawn: bool = False
    """Points and boxes are drawn into the mask prompt as well, see `draw_prompts`"""

    def __post_init__(self) -> None:
        limits = {
            "image_size": 2048, "grid": 256, "dimension": 1024, "neck_width": 1024, "decoder_width": 8192, "heads": 64
        }  # fmt: skip
        for name, most in limits.items():
            _check_whole(name, getattr(self, name), 1, most)
        _check_whole("neck_blocks", self.neck_blocks, 0, 32)
        if self.dimension % 16 or self.dimension % (2 * self.heads):
            raise InputError(
                f"dimension must be a multiple of 16 and of 2 heads, got dimension={self.dimension} and "
                f"heads={self.heads}."
            )
        step = 32 * (self.trunk.window if self.trunk.kind == "swin" else 1)
        if self.image_size % step:
            raise InputError(f"image_size must be a multiple of {step} for this trunk, got {self.image_size}.")
        if self.trunk.detail and self.image_size != 8 * self.grid:
            raise InputError(
                f"trunk.detail needs an image_size of 8 times the grid, got {self.image_size} and a grid of "
                f"{self.grid}."
            )

    @property
    def mask_size(self) -> int:
        """Edge of the predicted masks [px], 8 G."""
        return 8 * self.grid

    @property
    def mask_prompt_size(self) -> int:
        """Edge of a mask prompt [px], 4 G."""
        return 4 * self.grid


_PUBLISHED = InputConfig(antialias=False)
NAMED: dict[str, FluoroSamConfig] = {
    "swin-l": FluoroSamConfig(input=_PUBLISHED),
    "swin-b": FluoroSamConfig(trunk=TrunkConfig(width=128, heads=(4, 8, 16, 32)), input=_PUBLISHED),
    "swin-s": FluoroSamConfig(trunk=TrunkConfig(width=96, heads=(3, 6, 12, 24)), input=_PUBLISHED),
    "mini": FluoroSamConfig(
        image_size=256,
        grid=32,
        dimension=128,
        neck_width=96,
        neck_blocks=2,
        decoder_width=512,
        heads=4,
        drawn=True,
        trunk=TrunkConfig("conv", width=32, depths=(1, 1, 2, 1), detail=16),
        text=TextConfig(
            width=128, layers=2, heads=4, dimension=128, token_width=32, context=48, frozen=False, presence=128
        ),
        quantiser=QuantiserConfig(codes=512),
    ),
}
"""The published network (swin-l), its smaller siblings, and one that trains on a laptop."""
