"""One entrance to every projector: picks the implementation and, for torch, splits the rays into chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..errors import InputError
from ..geometry.checks import check_choice
from ..geometry.detector_plane import pixel_axes
from ..kernels import ops
from ..projectors.common import Labelling
from ..projectors.joseph import joseph
from ..projectors.siddon import labels_crossed, siddon
from ..projectors.trilinear import trilinear
from .options import Method

Projector = Callable[[Tensor, Tensor, Tensor, int, Labelling | None], Tensor]
PROJECTORS: dict[Method, Projector] = {
    "trilinear": lambda mu, s, d, samples, labelling: trilinear(mu, s, d, samples=samples, labelling=labelling),
    "siddon": lambda mu, s, d, _, labelling: siddon(mu, s, d, labelling=labelling),
    "joseph": lambda mu, s, d, _, labelling: joseph(mu, s, d, labelling=labelling),
}
"""The torch projector of each method."""
_FLOATS_AT_ONCE = 2**23  # temporary float64 numbers per tensor of the torch projectors


def march(
    mu: Tensor,
    labels: Tensor | None,
    rays: Tensor,
    backend: str,
    *,
    method: Method,
    height: int,
    width: int,
    samples: int,
    soft: bool,
    channels: int = 1,
    chunk: int | None = None,
) -> Tensor:
    """The integral over alpha of every pixel's ray, (B, C, H, W); see `voxel_rays` for the rays (B, 4, 3)."""
    check_choice(method, "method", get_args(Method))
    if backend != "torch":
        jacobian = rays.requires_grad and torch.is_grad_enabled() and labels is None
        return ops.project(mu, labels, rays, backend, method, height, width, samples, channels, soft, jacobian)[0]
    mu = mu.contiguous()
    labelling = None if labels is None else Labelling(labels.contiguous(), channels, soft)
    out = _in_chunks(
        lambda s, d: PROJECTORS[method](mu, s, d, samples, labelling),
        rays,
        height,
        width,
        _rays_at_once(mu) if chunk is None else chunk,
    )
    return out.reshape(-1, len(rays), height, width).transpose(0, 1)


def march_stack(stack: Tensor, rays: Tensor, backend: str, *, height: int, width: int, samples: int) -> Tensor:
    """Trilinear integrals over alpha of every quantity of a stack of volumes (D, H, W, C): (B, C, H, W).

    One march for all where the backend has it (numba), quantity by quantity elsewhere; the values are the same.
    """
    if backend != "torch":
        return ops.project_stack(stack, rays, backend, height, width, samples)
    size = {"method": "trilinear", "height": height, "width": width, "samples": samples, "soft": False}
    return torch.cat([march(layer, None, rays, backend, **size) for layer in stack.unbind(dim=3)], dim=1)


def march_jacobian(
    mu: Tensor, rays: Tensor, backend: str, *, method: Method, height: int, width: int, samples: int
) -> tuple[Tensor, Tensor]:
    """The integrals over alpha (B, 1, H, W) and d integral / d(source, direction) of every pixel (B, 6, H, W)."""
    check_choice(method, "method", get_args(Method))
    mu, rays = mu.detach(), rays.detach()
    if backend != "torch":
        with torch.no_grad():
            return ops.project(mu, None, rays, backend, method, height, width, samples, 1, False, True)
    mu = mu.contiguous()

    def differentiated(source: Tensor, direction: Tensor) -> Tensor:
        """(1 + 6, R): a ray's integral depends on no other ray, so the gradient of the sum holds every derivative."""
        with torch.enable_grad():
            source, direction = source.detach().requires_grad_(), direction.detach().requires_grad_()
            integral = PROJECTORS[method](mu, source, direction, samples, None)
            by_source, by_direction = torch.autograd.grad(integral.sum(), (source, direction), materialize_grads=True)
        return torch.cat([integral.detach(), by_source.T.to(integral), by_direction.T.to(integral)])

    with torch.no_grad():
        out = _in_chunks(differentiated, rays, height, width, _rays_at_once(mu))
    out = out.reshape(7, len(rays), height, width).transpose(0, 1)
    return out[:, :1], out[:, 1:]


def march_label_bits(labels: Tensor, rays: Tensor, backend: str, *, height: int, width: int, words: int) -> Tensor:
    """The labels each ray crosses, as int32 bit-sets (B, words, H, W)."""
    if backend != "torch":
        return ops.label_bits(labels, rays.detach(), backend, height, width, words)
    labels = labels.contiguous()
    bits = _in_chunks(
        lambda s, d: labels_crossed(labels, s, d, words=words), rays.detach(), height, width, _rays_at_once(labels)
    )
    return bits.reshape(words, len(rays), height, width).transpose(0, 1)


def _in_chunks(function, rays: Tensor, height: int, width: int, chunk: int) -> Tensor:
    """Apply function(source, direction) -> (C, R) to all rays, at most `chunk` at a time, and join along R.

    With gradients, each chunk is recomputed in the backward pass, so memory stays that of one chunk.
    """
    if chunk < 1:
        raise InputError(f"chunk must be a positive number of rays, got {chunk}.")
    u, v = pixel_axes(height, width, dtype=rays.dtype, device=rays.device)
    source, corner, du, dv = (rays[:, n, None, None, :] for n in range(4))
    direction = (corner + u[None, None, :, None] * du + v[None, :, None, None] * dv).reshape(-1, 3)
    source = source.expand(len(rays), height, width, 3).reshape(-1, 3)
    pieces = []
    for s, d in zip(source.split(chunk), direction.split(chunk), strict=True):
        if torch.is_grad_enabled() and len(direction) > chunk:
            pieces.append(checkpoint(function, s, d, use_reentrant=False))
        else:
            pieces.append(function(s, d))
    return torch.cat(pieces, dim=1)


def _rays_at_once(mu: Tensor) -> int:
    return max(1, _FLOATS_AT_ONCE // (sum(mu.shape) + 3))
