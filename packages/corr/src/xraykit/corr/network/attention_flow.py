"""What a stack of attention layers looked at, as one number for each token."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def attention_received(layers: Sequence[Tensor], share: Tensor) -> Tensor:
    """Attention of the last layer to each token, the mean over those that look.

    Args:
        layers: Attention weights (B, N, N) of each layer, rows sum to 1.
        share: (B, N), how much each token's look counts; sums to 1.

    Returns:
        (B, N), sums to 1.
    """
    return (share[:, None] @ layers[-1])[:, 0]


def attention_rollout(layers: Sequence[Tensor], share: Tensor) -> Tensor:
    """share (A_n + 1) / 2 ... (A_1 + 1) / 2: through all layers with their skip connections; arguments as above.

    Source: Abnar and Zuidema, "Quantifying attention flow in transformers", equation 1.
    """
    for attention in reversed(layers):
        share = 0.5 * share + 0.5 * (share[:, None] @ attention)[:, 0]
    return share
