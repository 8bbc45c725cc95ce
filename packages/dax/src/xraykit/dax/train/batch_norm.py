"""Batch norm over the images of all processes, on a GPU by torch and on a CPU by this."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..loss.ranks import count_ranks, rank_number, sum_over_ranks


class RanksBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm whose mean and variance are those of all processes' images; its state is that of `nn.BatchNorm2d`.

    Ranks may have different numbers of images. One rank, or evaluation, is plain batch norm.

    Gradients: as if all images had been on one rank, for a loss that is the sum of all ranks' losses.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Images (N, C, ...), normalised in each channel."""
        if not self.training or count_ranks() == 1:
            return super().forward(input)
        mean, variance, count = _moments(input.to(torch.promote_types(input.dtype, torch.float32)))
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        shape = [1, -1, *[1] * (input.ndim - 2)]
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        return (input * scale.view(shape) + shift.view(shape)).to(input.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"batch norm needs (images, channels, ...), got {tuple(input.shape)}.")

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


def synchronise(module: nn.Module, device_type: str) -> nn.Module:
    """The module with every batch norm over all processes; state and parameters are the same objects.

    Args:
        module: Changed in place, unless it is a batch norm itself.
        device_type: "cuda" takes torch's own, which works there alone.
    """
    if device_type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return _converted(module)
    for name, child in module.named_children():
        setattr(module, name, synchronise(child, device_type))
    return module


def _converted(norm: nn.modules.batchnorm._BatchNorm) -> RanksBatchNorm:
    over_all = RanksBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    over_all._parameters, over_all._buffers = norm._parameters, norm._buffers
    return over_all.train(norm.training)


def _moments(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (C,) of all ranks' values, and their number.

    Moments of each rank about its own mean are joined (Chan et al. 1983): one exchange, and no difference of squares.
    """
    dims = [0, *range(2, values.ndim)]
    channels = values.shape[1]
    count = values.new_tensor(values.numel() // channels)
    variance, mean = torch.var_mean(values, dims, correction=0)
    own = torch.cat([mean, variance, count[None]])
    table = functional.pad(own[None], (0, 0, rank_number(), count_ranks() - 1 - rank_number()))
    means, variances, counts = sum_over_ranks(table).split([channels, channels, 1], dim=1)
    total = counts.sum()
    mean = (counts * means).sum(0) / total
    variance = (counts * (variances + (means - mean).square())).sum(0) / total
    return mean, variance, total
