"""Networks for tests: one whose answers can be foretold, and one small enough to be random."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from xraykit.fluorosam.network import NAMED, FluoroSamConfig, TextConfig, TrunkConfig
from xraykit.fluorosam.network.mask_decoder import MaskLogits

NEAR = 6.0  # [px] of the square: radius of the spot about a point
TINY = FluoroSamConfig(
    image_size=64,
    grid=8,
    dimension=32,
    neck_width=16,
    neck_blocks=1,
    decoder_width=32,
    heads=2,
    trunk=TrunkConfig("conv", width=8, depths=(1, 1, 1, 1)),
    text=TextConfig(width=16, layers=1, heads=2, dimension=16, token_width=8, context=48, frozen=False),
    input=NAMED["mini"].input,
)
"""Builds and answers in milliseconds."""


class Words:
    """Features of a text: 1 for what is there, 0 for "spleen", which never is; counts the texts it saw."""

    dimension = 16

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, texts: Any) -> Tensor:
        """(N, 16)."""
        self.seen += list(texts)
        return torch.stack([torch.full((16,), 0.0 if "spleen" in text else 1.0) for text in texts])


class KnownNetwork(nn.Module):
    """Words find the brighter pixels, a point a spot about it, a box itself, a mask the same again.

    Candidates are of quality 0.25, 0.75 and 0.5, 0.1 lower for words of "spleen" alone; the second is the answer.
    """

    def __init__(self, trained_on: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self.config = TINY
        self.trained_on = {} if trained_on is None else trained_on
        self.prompt_encoder = nn.Module()
        object.__setattr__(self.prompt_encoder, "text_model", Words())
        self.embedded = 0
        self.decoded = 0
        self.tells = False

    def embed(self, images: Tensor) -> Tensor:
        """The first window itself, (B, 1, S, S)."""
        self.embedded += len(images)
        return images[:, :1]

    def presence(self, embedding: Tensor, text: Tensor) -> Tensor | None:
        """Logits of 2 for what is there and -2 for "spleen", of a network that `tells`."""
        del embedding
        return 4 * text.mean(-1) - 2 if self.tells else None

    def decode(self, embedding: Tensor, prompts: Any, *, multimask: bool = True) -> MaskLogits:
        """See the class."""
        self.decoded += 1
        size, count = self.config.mask_size, prompts.shape[1]
        centres = torch.arange(size) + 0.5
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        bright = nn.functional.interpolate(embedding, size=(size, size))[0, 0]
        logits = torch.full((1, count, size, size), -1.0)
        quality = torch.full((1, count, 1), 0.75)
        for p in range(count):
            if prompts.text is not None and bool(prompts.has_text[0, p]):
                there = float(prompts.text[0, p].mean()) > 0.5
                logits[0, p] = bright if there else bright - 0.5
                quality[0, p] -= 0.0 if there else 0.6
            if prompts.boxes is not None and bool(prompts.has_box[0, p]):
                left, top, right, bottom = prompts.boxes[0, p].tolist()
                logits[0, p] = 2.0 * ((x > left) & (x < right) & (y > top) & (y < bottom)) - 1
            if prompts.points is not None:
                for (px, py), label in zip(prompts.points[0, p].tolist(), prompts.point_labels[0, p], strict=True):
                    near = (x - px) ** 2 + (y - py) ** 2 < NEAR**2
                    if label >= 0:
                        logits[0, p][near] = 1.0 if label == 1 else -1.0
            if prompts.masks is not None and bool(prompts.has_mask[0, p]):
                mask = nn.functional.interpolate(prompts.masks[:, p : p + 1], size=(size, size))[0, 0]
                logits[0, p] = torch.maximum(logits[0, p], mask)
        if not multimask:
            return MaskLogits(logits[:, :, None], quality)
        worse = torch.full_like(logits, -1.0)
        offsets = torch.tensor([-0.5, 0.0, -0.25])
        return MaskLogits(torch.stack([worse, logits, worse], 2), quality + offsets)
