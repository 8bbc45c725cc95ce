"""The teacher's centre: a running mean of its logits that keeps any prototype from winning always."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .ranks import sum_over_ranks


class Center(nn.Module):
    r"""Centred, sharpened teacher probabilities q = softmax((t - c) / temperature), and the running mean c.

        c <- momentum c + (1 - momentum) mean(t)    over all views, images and ranks

    Args:
        prototypes: K.
        momentum: 0 to 1.

    Attributes:
        center: c (1, K), a buffer, 0 at the beginning; the key of published checkpoints.

    Raises:
        InputError: A momentum outside 0 to 1.

    Source: Caron et al., Emerging properties in self-supervised vision transformers, 2021, equation 4.
    """

    center: Tensor

    def __init__(self, prototypes: int, *, momentum: float = 0.9) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise InputError(f"the momentum of a centre must lie in 0 to 1, got {momentum}.")
        self.momentum = momentum
        self.register_buffer("center", torch.zeros(1, prototypes))

    @torch.no_grad()
    def probabilities(self, logits: Tensor | Iterable[Tensor], temperature: float) -> list[Tensor]:
        """q of each view (B, K), in float32; the teacher gets no gradient.

        Args:
            logits: Views (B, K) of the teacher.
            temperature: Above 0; lower is sharper.

        Raises:
            InputError: A temperature that is not above 0, views of another shape.
        """
        if not temperature > 0:
            raise InputError(f"the teacher's temperature must be above 0, got {temperature}.")
        return [torch.softmax((view - self.center).div_(temperature), dim=-1) for view in self._views(logits)]

    @torch.no_grad()
    def update(self, logits: Tensor | Sequence[Tensor]) -> None:
        """Move c, after the loss.

        Args:
            logits: Views (B, K), or all rows together (N, K), of this rank.
        """
        rows = logits if isinstance(logits, Tensor) else torch.cat(list(logits))
        rows = rows.flatten(0, -2)
        sums = torch.cat([rows.sum(0, dtype=self.center.dtype), self.center.new_tensor([float(len(rows))])])
        sums = sum_over_ranks(sums)
        self.center.lerp_((sums[:-1] / sums[-1])[None], 1 - self.momentum)

    def _views(self, logits: Iterable[Tensor]) -> list[Tensor]:
        views = list(logits)
        for view in views:
            if view.ndim != 2 or view.shape[1] != self.center.shape[1]:
                expected = f"(batch, {self.center.shape[1]})"
                raise InputError(f"each view of the teacher must be {expected}, got {tuple(view.shape)}.")
        return views
