"""The text tower of CLIP, in its own size and in smaller ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .config import TextConfig
from .text_encoder import tokenise, vocabulary_size


class TextTower(nn.Module):
    """CLIP's causal transformer over tokens; the features are those at the end of the text, linearly projected.

    Names of its state are CLIP's. With `token_width` the vocabulary has short vectors that `token_expansion` makes
    long, which leaves a tower of a few MB.

    Args:
        config: Size; 512 wide with 12 layers is the tower of ViT-B/32.

    Attributes:
        dimension: D, length of the features.

    Source: Radford et al., ICML 2021; Lan et al., ICLR 2020 (short vectors).
    """

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.dimension = config.dimension
        width, short = config.width, config.token_width
        self.token_embedding = nn.Embedding(vocabulary_size(), short or width)
        self.token_expansion = nn.Linear(short, width, bias=False) if short else nn.Identity()
        self.positional_embedding = nn.Parameter(torch.empty(config.context, width))
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, config.dimension))
        # ln(1 / 0.07); contrastive training alone uses it, and asks for its gradient.
        self.logit_scale = nn.Parameter(torch.tensor(2.6592), requires_grad=False)
        self._initialise()
        if config.frozen:
            self.requires_grad_(False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Features (N, D) of tokens (N, L), not normalised; none of the padding after the end counts."""
        if tokens.ndim != 2 or tokens.is_floating_point() or tokens.shape[1] > self.config.context:
            raise InputError(
                f"tokens must be (N, L) whole numbers with L up to {self.config.context}, got {tuple(tokens.shape)} "
                f"{tokens.dtype}; see tokenise."
            )
        ends = tokens.argmax(1)
        length = int(ends.max()) + 1 if len(tokens) else 1
        x = self.token_expansion(self.token_embedding(tokens[:, :length])) + self.positional_embedding[:length]
        for block in self.transformer.resblocks:  # type: ignore[union-attr]
            x = block(x)
        x = self.ln_final(x[torch.arange(len(x), device=x.device), ends])
        return x @ self.text_projection.to(x.dtype)

    def encode(self, texts: Sequence[str] | Tensor) -> Tensor:
        """Features (N, D) of texts or of their tokens, without gradient where the tower is frozen.

        Raises:
            InputError: Texts that are empty, too long or hold control characters.
        """
        tokens = texts if isinstance(texts, Tensor) else tokenise(texts, context=self.config.context)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen):
            return self(tokens.to(self.positional_embedding.device))

    def _initialise(self) -> None:
        width, layers = self.config.width, max(self.config.layers, 1)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)
        nn.init.normal_(self.text_projection, std=width**-0.5)
        if isinstance(self.token_expansion, nn.Linear):
            nn.init.normal_(self.token_expansion.weight, std=self.config.token_width**-0.5)
        for block in self.transformer.resblocks:  # type: ignore[union-attr]
            nn.init.normal_(block.attn.in_proj_weight, std=width**-0.5)
            nn.init.normal_(block.attn.out_proj.weight, std=width**-0.5 * (2 * layers) ** -0.5)
            nn.init.normal_(block.mlp.c_fc.weight, std=(2 * width) ** -0.5)
            nn.init.normal_(block.mlp.c_proj.weight, std=width**-0.5 * (2 * layers) ** -0.5)


class _Block(nn.Module):
    """Causal self-attention and a two-layer network, each normalised before and added."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        width = config.width
        self.ln_1 = nn.LayerNorm(width)
        self.attn = _CausalAttention(width, config.heads)
        self.ln_2 = nn.LayerNorm(width)
        layers = [
            ("c_fc", nn.Linear(width, 4 * width)),
            ("gelu", _QuickGelu() if config.activation == "quick_gelu" else nn.GELU()),
            ("c_proj", nn.Linear(4 * width, width)),
        ]
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class _CausalAttention(nn.Module):
    """Attention in which a token sees itself and those before it, under the names of torch's MultiheadAttention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, x: Tensor) -> Tensor:
        qkv = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class _QuickGelu(nn.Module):
    """x sigmoid(1.702 x), which OpenAI's CLIP has in the place of GELU."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)
