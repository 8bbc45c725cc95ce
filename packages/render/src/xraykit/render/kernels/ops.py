"""The projector as four custom ops, so that autograd and torch.compile see one opaque node each.

Every backend package offers the same six functions (see `numba_cpu/__init__.py`); this file gives them their
autograd formula and their shapes. Where a pose gradient is wanted of a single-channel image, the forward march also
returns each pixel's derivative with respect to its ray (six numbers), so the backward pass needs no second march.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.detector_plane import pixel_axes

PACKAGES = {"numba": "numba_cpu", "triton": "triton_gpu"}


def kernels(backend: str) -> ModuleType:
    """The kernel package of a backend, imported on first use."""
    return import_module(f".{PACKAGES[backend]}", __package__)


# torch.library.Library rather than its custom_op decorator: that one imports torch._dynamo and sympy, four seconds that
# a user who never compiles would wait for before the first image.
_LIBRARY = torch.library.Library("xraykit", "DEF")
_LIBRARY.define(
    "project(Tensor mu, Tensor? labels, Tensor rays, str backend, str method, int height, int width, int samples, "
    "int channels, bool soft, bool jacobian) -> (Tensor, Tensor)"
)
_LIBRARY.define(
    "project_backward(Tensor grad, Tensor mu, Tensor? labels, Tensor rays, str backend, str method, int samples, "
    "bool soft, bool need_mu, bool need_rays) -> (Tensor, Tensor)"
)
_LIBRARY.define("label_bits(Tensor labels, Tensor rays, str backend, int height, int width, int words) -> Tensor")
_LIBRARY.define("project_stack(Tensor stack, Tensor rays, str backend, int height, int width, int samples) -> Tensor")
_EVERY_DEVICE = "CompositeExplicitAutograd"

project = torch.ops.xraykit.project.default
project_backward = torch.ops.xraykit.project_backward.default
project_stack = torch.ops.xraykit.project_stack.default
label_bits = torch.ops.xraykit.label_bits.default


def _project(
    mu: Tensor,
    labels: Tensor | None,
    rays: Tensor,
    backend: str,
    method: str,
    height: int,
    width: int,
    samples: int,
    channels: int,
    soft: bool,
    jacobian: bool,
) -> tuple[Tensor, Tensor]:
    """Integrals over alpha (B, channels, H, W) and, if asked, d integral / d(source, direction) (B, 6, H, W)."""
    module = kernels(backend)
    if jacobian:
        return module.project_with_jacobian(mu, rays, method=method, height=height, width=width, samples=samples)
    image = module.project(
        mu, labels, rays, method=method, height=height, width=width, samples=samples, channels=channels, soft=soft
    )
    return image, image.new_empty(0)


@torch.library.register_fake("xraykit::project", lib=_LIBRARY)
def _project_shapes(mu, labels, rays, backend, method, height, width, samples, channels, soft, jacobian):
    image = mu.new_empty((len(rays), channels, height, width), dtype=torch.float32)
    return image, image.new_empty((len(rays), 6, height, width) if jacobian else (0,))


def _project_backward(
    grad: Tensor,
    mu: Tensor,
    labels: Tensor | None,
    rays: Tensor,
    backend: str,
    method: str,
    samples: int,
    soft: bool,
    need_mu: bool,
    need_rays: bool,
) -> tuple[Tensor, Tensor]:
    """The gradients of mu (D, H, W) and of each pixel's (source, direction) (B, 6, H, W); empty where not needed."""
    module = kernels(backend)
    grad = grad.contiguous().float()
    shape = (mu.shape[0], mu.shape[1], mu.shape[2])
    for_mu = for_rays = grad.new_empty(0)
    if need_mu:
        for_mu = module.backproject(labels, rays, grad, method=method, samples=samples, soft=soft, shape=shape)
    if need_rays:
        for_rays = module.ray_gradient(mu, labels, rays, grad, method=method, samples=samples, soft=soft)
    return for_mu, for_rays


@torch.library.register_fake("xraykit::project_backward", lib=_LIBRARY)
def _backward_shapes(grad, mu, labels, rays, backend, method, samples, soft, need_mu, need_rays):
    batch, _, height, width = grad.shape
    empty = grad.new_empty(0, dtype=torch.float32)
    for_mu = empty.new_empty(mu.shape) if need_mu else empty
    return for_mu, empty.new_empty((batch, 6, height, width)) if need_rays else grad.new_empty(0, dtype=torch.float32)


def _setup_context(ctx: Any, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
    mu, labels, rays, ctx.backend, ctx.method, _, _, ctx.samples, _, ctx.soft, ctx.has_jacobian = inputs
    ctx.save_for_backward(mu, labels, rays, output[1])
    ctx.mark_non_differentiable(output[1])


def _backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple:
    mu, labels, rays, jacobian = ctx.saved_tensors
    need_mu, _, need_rays = ctx.needs_input_grad[:3]
    march = need_rays and not ctx.has_jacobian
    for_mu, per_pixel = grad, grad
    if need_mu or march:
        for_mu, per_pixel = project_backward(
            grad, mu, labels, rays, ctx.backend, ctx.method, ctx.samples, ctx.soft, need_mu, march
        )
    if ctx.has_jacobian:
        per_pixel = grad * _once(jacobian, mu, rays)
    for_rays = contract(per_pixel).to(rays.dtype) if need_rays else None
    return for_mu.to(mu.dtype) if need_mu else None, None, for_rays, *([None] * 8)


torch.library.register_autograd("xraykit::project", _backward, setup_context=_setup_context, lib=_LIBRARY)


def refuse(*_: Any) -> Any:
    """The derivative of a derivative: there is none."""
    raise InputError("the kernels differentiate once, got a second derivative; use backend='torch'.")


torch.library.register_autograd("xraykit::project_backward", refuse, lib=_LIBRARY)


class _Once(torch.autograd.Function):
    """A first derivative that would silently count as constant if it were differentiated again."""

    @staticmethod
    def forward(ctx: Any, derivative: Tensor, mu: Tensor, rays: Tensor) -> Tensor:
        del ctx, mu, rays
        return derivative.view_as(derivative)

    @staticmethod
    def backward(ctx: Any, *grad: Any) -> Any:
        refuse(ctx, *grad)


def _once(derivative: Tensor, mu: Tensor, rays: Tensor) -> Tensor:
    """The derivative, guarded where the backward pass is itself recorded (create_graph=True)."""
    return _Once.apply(derivative, mu, rays) if torch.is_grad_enabled() else derivative


def contract(per_pixel: Tensor) -> Tensor:
    """Gather per-pixel gradients (B, 6, H, W) of (source, direction) into those of the rays (B, 4, 3), in float64.

    direction(u, v) = corner + u du + v dv, so corner, du and dv receive the sums of g, u g and v g.
    """
    *_, height, width = per_pixel.shape
    wide = per_pixel.to(torch.float64)
    u, v = pixel_axes(height, width, dtype=wide.dtype, device=wide.device)
    source, direction = wide[:, :3].sum(dim=(2, 3)), wide[:, 3:]
    columns, rows = direction.sum(dim=2), direction.sum(dim=3)
    return torch.stack([source, columns.sum(dim=2), (columns * u).sum(dim=2), (rows * v).sum(dim=2)], dim=1)


def _project_stack(stack: Tensor, rays: Tensor, backend: str, height: int, width: int, samples: int) -> Tensor:
    """Trilinear integrals (B, C, H, W) of a stack (D, H, W, C); in one march where the backend has one."""
    return kernels(backend).project_stack(stack, rays, height=height, width=width, samples=samples)


@torch.library.register_fake("xraykit::project_stack", lib=_LIBRARY)
def _stack_shapes(stack, rays, backend, height, width, samples):
    return stack.new_empty((len(rays), stack.shape[3], height, width), dtype=torch.float32)


def _setup_stack(ctx: Any, inputs: tuple, output: Tensor) -> None:
    stack, rays, ctx.backend, _, _, ctx.samples = inputs
    ctx.save_for_backward(stack, rays)


def _stack_backward(ctx: Any, grad: Tensor) -> tuple:
    """Quantity by quantity: the march of one with its Jacobian, and its adjoint."""
    stack, rays = ctx.saved_tensors
    need_stack, need_rays = ctx.needs_input_grad[:2]
    for_stack, per_pixel = [], None
    for c in range(stack.shape[3]):
        mu, share = stack[..., c].contiguous(), grad[:, c : c + 1]
        if need_rays:
            size = (ctx.backend, "trilinear", *grad.shape[2:], ctx.samples, 1, False, True)
            part = share * _once(project(mu, None, rays, *size)[1], mu, rays)
            per_pixel = part if per_pixel is None else per_pixel + part
        if need_stack:
            options = (ctx.backend, "trilinear", ctx.samples, False, True, False)
            for_stack.append(project_backward(share, mu, None, rays, *options)[0].to(stack.dtype))
    for_rays = None if per_pixel is None else contract(per_pixel).to(rays.dtype)
    return torch.stack(for_stack, dim=-1) if for_stack else None, for_rays, None, None, None, None


torch.library.register_autograd("xraykit::project_stack", _stack_backward, setup_context=_setup_stack, lib=_LIBRARY)


def _label_bits(labels: Tensor, rays: Tensor, backend: str, height: int, width: int, words: int) -> Tensor:
    """The labels that each ray meets, as bits of int32 words (B, words, H, W)."""
    return kernels(backend).label_bits(labels, rays, height=height, width=width, words=words)


@torch.library.register_fake("xraykit::label_bits", lib=_LIBRARY)
def _label_bits_shapes(labels, rays, backend, height, width, words):
    return labels.new_empty((len(rays), words, height, width), dtype=torch.int32)


_LIBRARY.impl("project", _project, _EVERY_DEVICE)
_LIBRARY.impl("project_backward", _project_backward, _EVERY_DEVICE)
_LIBRARY.impl("project_stack", _project_stack, _EVERY_DEVICE)
_LIBRARY.impl("label_bits", _label_bits, _EVERY_DEVICE)
