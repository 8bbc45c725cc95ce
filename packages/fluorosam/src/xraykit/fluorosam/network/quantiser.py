"""A codebook that features are rounded to: straight-through, two separate losses, k-means start, dead codes renewed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xraykit.render import InputError

from .config import QuantiserKind

_CHUNK = 4096


@dataclass(frozen=True)
class Quantised:
    """Features rounded to the codebook.

    Args:
        values: (N, D), rows of the codebook; the gradient goes straight through to the features.
        codes: (N,), which row.
        loss: Scalar, codebook term plus weighted commitment term; 0 for no features.
        perplexity: exp(entropy) of the codes of these features, from 1 (all the same) to min(N, K); 0 for none.
    """

    values: Tensor
    codes: Tensor
    loss: Tensor
    perplexity: Tensor


class Quantiser(nn.Module):
    r"""The nearest of K learnable codes.

    Loss: |e_k - sg(x)|^2 + beta |x - sg(e_k)|^2, means over N and D, sg no gradient. By angle ("cosine"), x and e_k
    are directions of length sqrt(D), and so is what comes out.

    Args:
        dimension: D.
        codes: K.
        kind: By distance or by angle.
        commitment: beta.
        decay: Of the running count of uses, a step of training.

    Raises:
        InputError: kind "off", which has no codebook.

    Source: van den Oord et al., NeurIPS 2017; Yu et al., ICLR 2022 (by angle).
    """

    def __init__(
        self,
        dimension: int,
        codes: int = 8192,
        *,
        kind: QuantiserKind = "euclidean",
        commitment: float = 1.0,
        decay: float = 0.99,
    ) -> None:
        super().__init__()
        if kind not in ("euclidean", "cosine"):
            raise InputError(f"a quantiser must be euclidean or cosine, got {kind!r}; leave it out for off.")
        self.kind, self.commitment, self.decay = kind, commitment, decay
        self._codebook = _Codebook(dimension, codes)

    @property
    def codebook(self) -> Tensor:
        """The codes (K, D), as they come out."""
        return self._directed(self._codebook.embed[0])

    @property
    def usage(self) -> Tensor:
        """Running mean (K,) of how many features a step of training has for each code."""
        return self._codebook.cluster_size[0]

    def forward(self, features: Tensor) -> Quantised:
        """Round features (N, D); in training the uses are counted. Distances are in float32, also under autocast."""
        with torch.autocast(features.device.type, enabled=False):
            x, book = self._directed(features.to(self._codebook.embed.dtype)), self.codebook
            codes = nearest_codes(x, book)
            chosen = book[codes]
            counts = torch.bincount(codes, minlength=len(book)).float()
            if self.training and len(x):
                self._codebook.cluster_size.lerp_(counts[None].to(self._codebook.cluster_size), 1 - self.decay)
            if not len(x):
                return Quantised(features, codes, x.sum(), counts.sum())
            share = counts / len(x)
            loss = F.mse_loss(chosen, x.detach()) + self.commitment * F.mse_loss(x, chosen.detach())
            values = x + (chosen - x).detach() if x.requires_grad else chosen
            return Quantised(values, codes, loss, torch.special.entr(share).sum().exp())

    @torch.no_grad()
    def start_from(self, features: Tensor, *, seed: int = 0, iterations: int = 10) -> None:
        """Set the codes to the k-means centres of features (M, D), M >= 1; fewer features than codes are jittered."""
        generator = torch.Generator().manual_seed(seed)
        x = self._directed(features.to(self._codebook.embed.dtype))
        centres = self._drawn(x, len(self.codebook), generator)
        for _ in range(iterations):
            codes = nearest_codes(x, centres)
            total = torch.zeros_like(centres).index_add_(0, codes, x)
            counts = torch.bincount(codes, minlength=len(centres))[:, None]
            centres = torch.where(counts > 0, self._directed(total / counts.clamp(min=1)), centres)
        self._codebook.embed[0] = centres
        self._codebook.cluster_size.fill_(1.0)
        self._codebook.initted.fill_(1.0)

    @torch.no_grad()
    def renew_dead_codes(self, features: Tensor, *, below: float = 0.01, seed: int = 0) -> int:
        """Put features (M, D) in the place of codes that are used less than `below` times a step.

        Returns:
            How many codes were renewed; their running count begins again at 1.
        """
        dead = (self.usage < below).nonzero()[:, 0]
        if len(dead) and len(features):
            drawn = self._drawn(
                self._directed(features.to(self._codebook.embed.dtype)), len(dead), torch.Generator().manual_seed(seed)
            )
            self._codebook.embed[0, dead] = drawn.to(self._codebook.embed)
            self._codebook.cluster_size[0, dead] = 1.0
        return len(dead) if len(features) else 0

    def _directed(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=-1) * x.shape[-1] ** 0.5 if self.kind == "cosine" else x

    def _drawn(self, x: Tensor, count: int, generator: torch.Generator) -> Tensor:
        """`count` rows of x, each as often as any other; repetitions get a little noise so that they part."""
        if not len(x):
            raise InputError("codes must start from features, got none.")
        rounds = -(-count // len(x))
        order = torch.cat([torch.randperm(len(x), generator=generator) for _ in range(rounds)])[:count]
        drawn = x[order.to(x.device)].clone()
        if count > len(x):
            noise = torch.randn(drawn[len(x) :].shape, generator=generator).to(x)
            drawn[len(x) :] += 0.01 * x.std().nan_to_num(1.0) * noise
        return self._directed(drawn)


class _Codebook(nn.Module):
    """Codes under the published names, the running count of their uses, and whether they were started from features."""

    cluster_size: Tensor
    initted: Tensor

    def __init__(self, dimension: int, codes: int) -> None:
        super().__init__()
        self.embed = nn.Parameter(torch.empty(1, codes, dimension))
        nn.init.kaiming_uniform_(self.embed)
        self.register_buffer("cluster_size", torch.ones(1, codes))
        self.register_buffer("initted", torch.zeros(1))


def nearest_codes(x: Tensor, codebook: Tensor) -> Tensor:
    """Row (N,) of the codebook (K, D) that is nearest to each of x (N, D), the first of equals; no gradient."""
    with torch.no_grad():
        half = codebook.square().sum(1) / 2
        parts = [(half - part @ codebook.T).argmin(1) for part in x.detach().split(_CHUNK)]
        return torch.cat(parts) if parts else x.new_zeros(0, dtype=torch.long)
