"""From prompts to tokens and to a map that is added to the image embedding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .channel_norm import ChannelNorm
from .config import FluoroSamConfig
from .drawn_prompts import draw_prompts
from .prompts import ABSENT, NEGATIVE, PADDING, POSITIVE, PromptBatch
from .quantiser import Quantised, Quantiser
from .text_tower import TextTower


@dataclass(frozen=True)
class PromptTokens:
    """Prompts as the decoder takes them.

    Args:
        tokens: (B, P, T, C): text, points, a padding point, two corners of the box, as far as any prompt has them.
        present: (B, P, T) bool, which of them a prompt has; None is all.
        dense: (B, P, C, G, G), or (1, 1, C, 1, 1) where no prompt has a mask.
        quantised: What the codebook made of the texts, None without one.
    """

    tokens: Tensor
    present: Tensor | None
    dense: Tensor
    quantised: Quantised | None


class PromptEncoder(nn.Module):
    """SAM's prompt encoder with words: features of a text become one token, rounded to a codebook.

    A prompt with points and without a box has one padding point more, as in SAM.

    Args:
        config: Of the whole network.

    Source: Kirillov et al., ICCV 2023; FluoroSAM (Killeen et al., MICCAI 2025).
    """

    def __init__(self, config: FluoroSamConfig) -> None:
        super().__init__()
        width = config.dimension
        self.image_size, self.grid, self.mask_size = config.image_size, config.grid, config.mask_prompt_size
        self.drawn = config.drawn
        self.pe_layer = PointPositions(width)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, stride=2),
            ChannelNorm(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, stride=2),
            ChannelNorm(16),
            nn.GELU(),
            nn.Conv2d(16, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)
        self.text_model = TextTower(config.text)
        self.clip_mlp = TextProjection(config.text.dimension, width)
        off, codes = config.quantiser.kind == "off", config.quantiser.codes
        self.vq = None if off else Quantiser(
            width, codes, kind=config.quantiser.kind, commitment=config.quantiser.commitment
        )  # fmt: skip

    def forward(self, prompts: PromptBatch) -> PromptTokens:
        """Tokens and dense map of prompts.

        Raises:
            InputError: Features of texts or masks of another size.
        """
        self._check(prompts)
        tokens: list[Tensor] = []
        present: list[Tensor] = []
        quantised: Quantised | None = None
        if prompts.text is not None:
            has = _all_or(prompts.has_text, prompts)
            token, quantised = self._text(prompts.text, has)
            tokens.append(token)
            present.append(has[..., None])
        boxed = None if prompts.boxes is None else _all_or(prompts.has_box, prompts)
        if prompts.points is not None and prompts.point_labels is not None:
            labels = prompts.point_labels
            padded = (labels != ABSENT).any(-1, keepdim=True)
            if boxed is not None:
                padded = padded & ~boxed[..., None]
            tokens += [
                self._points(prompts.points, labels),
                self.not_a_point_embed.weight.expand(*prompts.shape, 1, -1),
            ]
            present += [labels != ABSENT, padded]
        if prompts.boxes is not None and boxed is not None:
            tokens.append(self._corners(prompts.boxes))
            present.append(boxed[..., None].expand(-1, -1, 2))
        width = self.no_mask_embed.weight.shape[1]
        if not tokens:
            shape = (*prompts.shape, 0)
            return PromptTokens(self.no_mask_embed.weight.new_zeros(*shape, width), None, self._dense(prompts), None)
        there = torch.cat(present, 2)
        kind = tokens[0].dtype
        joined = torch.cat([token.to(kind) for token in tokens], 2)
        return PromptTokens(joined, None if bool(there.all()) else there, self._dense(prompts), quantised)

    def grid_positions(self) -> Tensor:
        """Positional encoding (C, G, G) of the image embedding's cells."""
        centres = (torch.arange(self.grid, device=self.no_mask_embed.weight.device) + 0.5) / self.grid
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        return self.pe_layer(torch.stack([x, y], -1)).permute(2, 0, 1)

    def _text(self, features: Tensor, has: Tensor) -> tuple[Tensor, Quantised | None]:
        """One token (B, P, 1, C); the codebook sees prompts with words alone."""
        projected = self.clip_mlp(features[has].to(self.no_mask_embed.weight.dtype))
        quantised = None if self.vq is None else self.vq(projected)
        values = projected if quantised is None else quantised.values
        token = values.new_zeros(*has.shape, values.shape[-1])
        return token.masked_scatter(has[..., None], values)[:, :, None], quantised

    def _points(self, points: Tensor, labels: Tensor) -> Tensor:
        encoded = self.pe_layer(points / self.image_size)
        encoded = torch.where((labels < 0)[..., None], 0.0, encoded)
        kinds: dict[int, Any] = {
            NEGATIVE: self.point_embeddings[0], POSITIVE: self.point_embeddings[1], PADDING: self.not_a_point_embed
        }  # fmt: skip
        for label, embedding in kinds.items():
            encoded = encoded + (labels == label)[..., None] * embedding.weight
        return encoded

    def _corners(self, boxes: Tensor) -> Tensor:
        encoded = self.pe_layer(boxes.unflatten(-1, (2, 2)) / self.image_size)
        kinds: list[Any] = [self.point_embeddings[2], self.point_embeddings[3]]
        return encoded + torch.cat([each.weight for each in kinds])

    def _dense(self, prompts: PromptBatch) -> Tensor:
        nothing = self.no_mask_embed.weight.reshape(1, 1, -1, 1, 1)
        if self.drawn:
            prompts = draw_prompts(prompts, image_size=self.image_size, edge=self.mask_size)
        if prompts.masks is None:
            return nothing
        masks = prompts.masks.flatten(0, 1)[:, None].to(self.no_mask_embed.weight.dtype)
        dense = self.mask_downscaling(masks).unflatten(0, prompts.shape)
        has = _all_or(prompts.has_mask, prompts)
        return torch.where(has[..., None, None, None], dense, nothing.to(dense.dtype))

    def _check(self, prompts: PromptBatch) -> None:
        features, masks, size = prompts.text, prompts.masks, self.mask_size
        wanted = self.clip_mlp.layers[0].in_features
        if features is not None and features.shape[-1] != wanted:
            raise InputError(
                f"text must be features of length {wanted}, got {features.shape[-1]}; take the text encoder that the "
                "network was made with."
            )
        if masks is not None and tuple(masks.shape[2:]) != (size, size):
            raise InputError(f"masks must be {size}x{size} logits, got {masks.shape[2]}x{masks.shape[3]}; resize them.")


class PointPositions(nn.Module):
    """Random Fourier features: sin and cos of 2 pi (2 p - 1) M, M a fixed 2 x C / 2 Gaussian matrix, p in 0 to 1."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.randn(2, width // 2))

    def forward(self, points: Tensor) -> Tensor:
        """(..., C) of points (..., 2), in float32 also under autocast."""
        matrix = self.positional_encoding_gaussian_matrix
        with torch.autocast(points.device.type, enabled=False):
            angle = (2 * points.to(matrix.dtype) - 1) @ matrix * (2 * math.pi)
            return torch.cat([angle.sin(), angle.cos()], -1)


class TextProjection(nn.Module):
    """Two linear layers with a GELU between them, from features of a text to a token."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        first: Any = nn.Linear(features, features)
        self.layers: Any = nn.ModuleList([first, nn.Linear(features, width)])

    def forward(self, features: Tensor) -> Tensor:
        """(N, width) of (N, features)."""
        return self.layers[1](nn.functional.gelu(self.layers[0](features)))


def _all_or(has: Tensor | None, prompts: PromptBatch) -> Tensor:
    """`has`, or all true."""
    if has is not None:
        return has
    first = next(v for v in (prompts.text, prompts.points, prompts.boxes, prompts.masks) if v is not None)
    return torch.ones(prompts.shape, dtype=torch.bool, device=first.device)
