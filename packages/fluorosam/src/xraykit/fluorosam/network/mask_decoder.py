"""From image embedding and prompt tokens to masks with the quality that the network expects of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .channel_norm import ChannelNorm
from .config import FluoroSamConfig
from .prompt_encoder import PromptTokens
from .two_way_transformer import TwoWayTransformer

AT_ONCE = 2
"""Prompts whose masks a CPU makes at a time where nothing is learned: what is between its layers stays in the cache."""


@dataclass(frozen=True)
class MaskLogits:
    """Answers to P prompts for each of B images.

    Args:
        logits: (B, P, M, 8 G, 8 G) over the square input, above 0 inside; M is 3, or 1 where one mask was asked for. Of
            K cells (B, P, M, 8 K, 8), one below the other.
        quality: (B, P, M), the expected intersection over union, not yet calibrated and without bounds.
    """

    logits: Tensor
    quality: Tensor


class MaskDecoder(nn.Module):
    """SAM's decoder with one more doubling of its masks.

    Args:
        config: Of the whole network.

    Source: Kirillov et al., ICCV 2023; FluoroSAM (Killeen et al., MICCAI 2025).
    """

    def __init__(self, config: FluoroSamConfig) -> None:
        super().__init__()
        width = config.dimension
        self.transformer = TwoWayTransformer(width, config.heads, config.decoder_width)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(4, width)
        self.travel_tokens = _Unused(4, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, stride=2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 4, 2, stride=2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, stride=2),
            nn.GELU(),
        )
        self.mask_output_hypernetworks_mlps = nn.ModuleList(_Perceptron(width, width // 8) for _ in range(4))
        self.iou_prediction_head = _Perceptron(width, 4)

    def forward(
        self,
        embedding: Tensor,
        positions: Tensor,
        prompts: PromptTokens,
        *,
        multimask: bool = True,
        cells: Tensor | None = None,
    ) -> MaskLogits:
        """Masks for prompts.

        Args:
            embedding: (B, C, G, G), of the images, or (B, 5 C, G, G) with their detail, see `DetailMap`.
            positions: (C, G, G), see `PromptEncoder.grid_positions`.
            prompts: Of P prompts an image.
            multimask: The three masks for a prompt that may mean several things; false gives the one other.
            cells: (B, K), the only cells of each embedding that are looked at; None is all.
        """
        batch, count = prompts.tokens.shape[:2]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(batch, count, -1, -1).to(prompts.tokens.dtype), prompts.tokens], 2)
        present = prompts.present
        if present is not None:
            present = torch.cat([present.new_ones(batch, count, len(own)), present], 2)
        width = positions.shape[0]
        image = (embedding[:, None, :width] + prompts.dense).flatten(3).transpose(2, 3).contiguous()
        detail = _of_cells(embedding[:, width:]) if embedding.shape[1] > width else None
        places = positions.flatten(1).T
        if cells is not None:
            places = places[cells][:, None]
            image = image.gather(2, cells[:, None, :, None].expand(-1, image.shape[1], -1, image.shape[3]))
            if detail is not None:
                detail = detail.gather(1, cells[:, :, None, None].expand(-1, -1, *detail.shape[2:]))
        hidden, image = self.transformer(image, places, tokens, present)
        image = image.expand(-1, count, -1, -1)
        chosen = (1, 2, 3) if multimask else (0,)
        weights = torch.stack([self.mask_output_hypernetworks_mlps[i](hidden[:, :, 1 + i]) for i in chosen], 2)
        grid = tuple(embedding.shape[2:]) if cells is None else (cells.shape[1], 1)
        at_once = AT_ONCE if image.device.type == "cpu" and not torch.is_grad_enabled() else count
        pairs = zip(image.split(at_once, 1), weights.split(at_once, 1), strict=True)
        logits = torch.cat([self._masks(*pair, detail, grid) for pair in pairs], 1)
        quality = self.iou_prediction_head(hidden[:, :, 0])[..., list(chosen)]
        return MaskLogits(logits, quality)

    def _masks(self, image: Tensor, weights: Tensor, detail: Tensor | None, grid: tuple[int, ...]) -> Tensor:
        """Logits (B, P, M, 8 G, 8 G): cells (B, P, G G, C) made eight times finer, times weights (B, P, M, C / 8).

        A transposed convolution with stride 2 and kernel 2 mixes no cells, so all of it is linear layers on cells whose
        pixels are put in their places at the end: half the time of convolutions, forward and backward. The detail
        (B, G G, 16, C / 4) is added where a cell has 4 x 4 pixels.
        """
        first, norm1, _, second, norm2, _, third, _ = self.output_upscaling
        x = F.gelu(_normed(_finer(image, first), norm1))
        x = _finer(x, second)
        if detail is not None:
            x += detail.unflatten(2, (4, 4))[:, None]
        x = F.gelu(_finer(F.gelu(_normed(x, norm2)), third))
        y = _PlacedProduct.apply(weights, x.flatten(2, -2), grid)
        return y.unflatten(3, (8 * grid[0], 8 * grid[1]))  # type: ignore[no-any-return]


class _PlacedProduct(torch.autograd.Function):
    """Weights (B, P, M, C) times pixels (B, P, 64 G G, C) that come cell by cell: (B, P, M, 64 G G), row by row.

    A gather puts them in place, and another one back, faster than a permutation; and the gradient of the pixels comes
    as they lie.
    """

    @staticmethod
    def forward(ctx: Any, weights: Tensor, pixels: Tensor, grid: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(weights, pixels)
        ctx.grid = grid
        return (weights @ pixels.mT)[..., _order(grid, pixels.device)[0]]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        weights, pixels = ctx.saved_tensors
        back = gradients[0][..., _order(ctx.grid, pixels.device)[1]]
        return back.to(pixels.dtype) @ pixels, back.to(weights.dtype).mT @ weights, None


@lru_cache(maxsize=8)
def _order(grid: tuple[int, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Which of all pixels, cell by cell, comes where in the image, and the way back.

    From (rows, columns, and both of each doubling) to the rows and columns of an image.
    """
    pixels = torch.arange(64 * math.prod(grid), device=device).unflatten(0, (*grid, *[2] * 6))
    placed = pixels.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten()
    return placed, placed.argsort()


def _of_cells(detail: Tensor) -> Tensor:
    """(B, G G, 16, D) of a detail map (B, 16 D, G, G)."""
    return detail.flatten(2).transpose(1, 2).contiguous().unflatten(2, (16, -1))


def _finer(x: Tensor, layer: Any) -> Tensor:
    """(..., 4, C') of cells (..., C): the four pixels that a transposed convolution makes of each, row by row."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    return F.linear(x, weight, layer.bias.repeat(4)).unflatten(-1, (4, -1))


def _normed(x: Tensor, norm: Any) -> Tensor:
    """What a ChannelNorm does, with the channels last."""
    return F.layer_norm(x, norm.weight.shape, norm.weight, norm.bias, norm.eps)


class _Perceptron(nn.Module):
    """Three linear layers with ReLU between them."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, outputs)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class _Unused(nn.Module):
    """A table that published checkpoints hold and no computation uses: a buffer, so that no training waits for it."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(rows, width))
