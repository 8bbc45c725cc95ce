"""The whole network: one pass for images, one for any number of prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .config import NAMED, FluoroSamConfig
from .detail_map import DetailMap
from .image_encoder import ImageEncoder
from .mask_decoder import MaskDecoder, MaskLogits
from .presence_head import PresenceHead
from .prompt_encoder import PromptEncoder, PromptTokens
from .prompts import PromptBatch

PRESENCE_WIDTH = 128
OWN_TOKENS, TEXT_TOKENS = 0.2, 2.5
"""Of a new network: how long its own tokens and those of texts are, in multiples of PyTorch's first values."""


class SegmentationNetwork(nn.Module):
    """Images and prompts in, masks out.

    Args:
        config: What it is.

    Attributes:
        trained_on: What it learned from, for people and results; no tensor.
        keeps_statistics: In training mode, too, normalise by the statistics of batches that are known.

    Source: FluoroSAM (Killeen et al., MICCAI 2025).
    """

    def __init__(self, config: FluoroSamConfig) -> None:
        super().__init__()
        self.config = config
        self.trained_on: Mapping[str, object] = {}
        self.keeps_statistics = False
        self.image_encoder = ImageEncoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)
        detail = config.trunk.detail
        self.detail_map = DetailMap(detail, config.dimension // 4) if detail else None
        width = config.text.presence
        self.presence_head = PresenceHead(config.dimension, config.text.dimension, width) if width else None

    def train(self, mode: bool = True) -> Self:
        """Training mode, but not for an image encoder of which nothing learns.

        With `keeps_statistics` its layers that would count statistics of a batch stay in evaluation mode as well.
        """
        super().train(mode)
        encoder = self.image_encoder
        if not any(weights.requires_grad for weights in encoder.parameters()):
            encoder.eval()
        if self.keeps_statistics:
            for layer in encoder.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
        return self

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, C, G, G) of images (B, 3 or 1, S, S), the costly part; see `ImageEncoder`.

        With `TrunkConfig.detail` there are 4 C channels more, see `DetailMap`: (B, 5 C, G, G).
        """
        embedding = self.image_encoder(images)
        return embedding if self.detail_map is None else torch.cat([embedding, self.detail_map(images)], 1)

    def encode_text(self, texts: Sequence[str] | Tensor) -> Tensor:
        """Features (N, D) of texts by the network's own text tower, for `PromptBatch.text`.

        Raises:
            InputError: Texts that are empty, too long or hold control characters.
        """
        return self.prompt_encoder.text_model.encode(texts)

    def presence(self, embedding: Tensor, text: Tensor) -> Tensor | None:
        """Logits (B, P) of what texts (B, P, D) ask for being in the images of embeddings; None without such a head.

        Args:
            embedding: As `embed` gives it; no gradient goes back to it.
            text: Of `encode_text`.
        """
        if self.presence_head is None:
            return None
        return self.presence_head(embedding[:, : self.config.dimension].detach(), text.detach())  # type: ignore[no-any-return]

    def encode_prompts(self, prompts: PromptBatch) -> PromptTokens:
        """Tokens of prompts, with what the codebook made of their texts."""
        return self.prompt_encoder(prompts)

    def decode(
        self,
        embedding: Tensor,
        prompts: PromptBatch | PromptTokens,
        *,
        multimask: bool = True,
        cells: Tensor | None = None,
    ) -> MaskLogits:
        """Masks for prompts, all in one pass.

        Args:
            embedding: (B, C, G, G), or with its detail, as `embed` gives it.
            prompts: P of them for each image.
            multimask: Three masks a prompt, or one.
            cells: (B, K), the only cells that are looked at, see `draw_cells`; None is all.

        Raises:
            InputError: Another number of images than of prompts' images.
        """
        tokens = prompts if isinstance(prompts, PromptTokens) else self.prompt_encoder(prompts)
        if embedding.ndim != 4 or len(embedding) != len(tokens.tokens):
            raise InputError(
                f"embeddings must be of the {len(tokens.tokens)} images that prompts are for, got "
                f"{tuple(embedding.shape)}."
            )
        places = self.prompt_encoder.grid_positions()
        return self.mask_decoder(embedding, places, tokens, multimask=multimask, cells=cells)

    def forward(self, images: Tensor, prompts: PromptBatch, *, multimask: bool = True) -> MaskLogits:
        """`decode` of `embed`."""
        return self.decode(self.embed(images), prompts, multimask=multimask)


def new_network(config: FluoroSamConfig | str = "mini", *, seed: int = 0) -> SegmentationNetwork:
    """A network with random weights, in training mode; the caller's random state stays as it was.

    Args:
        config: What it is, or a name in NAMED.
        seed: Of the weights.

    Raises:
        InputError: No such name.
    """
    if isinstance(config, str):
        if config not in NAMED:
            raise InputError(f"a network must be one of {', '.join(NAMED)}, got {config[:60]!r}.")
        config = NAMED[config]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SegmentationNetwork(config)
    _let_prompts_be_heard(network)
    return network


def detailed_network(network: SegmentationNetwork, channels: int) -> SegmentationNetwork:
    """A network with the weights of another one and a `DetailMap`: its own, or one of zeros, which changes no answer.

    Args:
        network: Left as it is.
        channels: Of the map's convolutions, see `TrunkConfig.detail`.

    Raises:
        InputError: Another number of channels than a map that is there has, or a grid that does not fit.
    """
    config = network.config
    if config.trunk.detail == channels:
        return network
    if config.trunk.detail:
        raise InputError(f"--detail must be {config.trunk.detail} as in these weights, got {channels}; leave it out.")
    other = SegmentationNetwork(replace(config, trunk=replace(config.trunk, detail=channels)))
    for weights in other.detail_map.output.parameters():  # type: ignore[union-attr]
        nn.init.zeros_(weights)
    return _with_weights(other, network)


def presence_network(network: SegmentationNetwork, *, seed: int = 0) -> SegmentationNetwork:
    """A network with the weights of another one and a `PresenceHead`: its own, or one that has learned nothing.

    Args:
        network: Left as it is.
        seed: Of a new head.
    """
    if network.config.text.presence:
        return network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        text = replace(network.config.text, presence=PRESENCE_WIDTH)
        other = SegmentationNetwork(replace(network.config, text=text))
    return _with_weights(other, network)


def _with_weights(other: SegmentationNetwork, network: SegmentationNetwork) -> SegmentationNetwork:
    """The same with all that another one has learned."""
    other.load_state_dict(other.state_dict() | network.state_dict())
    other.trained_on = network.trained_on
    return other


@torch.no_grad()
def _let_prompts_be_heard(network: SegmentationNetwork) -> None:
    """Tokens that are the same for all prompts begin short, texts as long as points.

    Else all prompts have one answer for a long while.
    """
    decoder, words = network.mask_decoder, network.prompt_encoder.clip_mlp.layers[-1]
    for own in (decoder.mask_tokens.weight, decoder.iou_token.weight):
        own.mul_(OWN_TOKENS)
    for projection in words.parameters():
        projection.mul_(TEXT_TOKENS)
