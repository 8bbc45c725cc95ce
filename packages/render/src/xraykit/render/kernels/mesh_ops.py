"""The depth of meshes as one differentiable custom op; `kernels/ops.py` says why torch.library.Library makes it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from .ops import PACKAGES, refuse

_LIBRARY = torch.library.Library("xraykit", "FRAGMENT")
_LIBRARY.define(
    "mesh_depth(Tensor points, Tensor faces, Tensor mesh, Tensor across, Tensor down, Tensor far, int meshes, "
    "str backend) -> Tensor"
)
_LIBRARY.define(
    "mesh_depth_backward(Tensor grad, Tensor points, Tensor faces, Tensor mesh, Tensor across, Tensor down, "
    "Tensor far, str backend, bool need_points, bool need_rays) -> (Tensor, Tensor)"
)

mesh_depth = torch.ops.xraykit.mesh_depth.default
mesh_depth_backward = torch.ops.xraykit.mesh_depth_backward.default


def triangles(backend: str) -> ModuleType:
    """The mesh kernels of a backend, imported on first use."""
    return import_module(f".{PACKAGES[backend]}.triangles", __package__)


def _depth(
    points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor, meshes: int, backend: str
) -> Tensor:
    """Sum of sign * clamp(z, 0, far) per pixel and mesh, (B, M, H, W) float64; see numba_cpu/triangles.py."""
    return triangles(backend).depth(points, faces, mesh, across, down, far, meshes)


@torch.library.register_fake("xraykit::mesh_depth", lib=_LIBRARY)
def _depth_shape(points, faces, mesh, across, down, far, meshes, backend):
    return points.new_empty((len(points), meshes, down.shape[1], across.shape[1]), dtype=torch.float64)


def _depth_backward(
    grad: Tensor,
    points: Tensor,
    faces: Tensor,
    mesh: Tensor,
    across: Tensor,
    down: Tensor,
    far: Tensor,
    backend: str,
    need_points: bool,
    need_rays: bool,
) -> tuple[Tensor, Tensor]:
    """Gradients of the corners of each face (B, F, 3, 3) and of each pixel's (across, down, far) (B, 3, H, W)."""
    kernels, empty = triangles(backend), grad.new_empty(0)
    grad = grad.contiguous()
    for_corners = kernels.depth_gradient(grad, points, faces, mesh, across, down, far) if need_points else empty
    for_rays = kernels.ray_gradient(grad, points, faces, mesh, across, down, far) if need_rays else grad.new_empty(0)
    return for_corners, for_rays


@torch.library.register_fake("xraykit::mesh_depth_backward", lib=_LIBRARY)
def _backward_shapes(grad, points, faces, mesh, across, down, far, backend, need_points, need_rays):
    batch, _, height, width = grad.shape
    for_corners = grad.new_empty((batch, len(faces), 3, 3) if need_points else (0,))
    return for_corners, grad.new_empty((batch, 3, height, width) if need_rays else (0,))


def _setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:6])
    ctx.backend = inputs[7]


def _backward(ctx: Any, grad: Tensor) -> tuple:
    points, faces, *_ = ctx.saved_tensors
    need_points, _, _, need_across, need_down, need_far, *_ = ctx.needs_input_grad
    need_rays = need_across or need_down or need_far
    for_corners, for_rays = mesh_depth_backward(grad, *ctx.saved_tensors, ctx.backend, need_points, need_rays)
    for_points = None
    if need_points:
        batch = len(points)
        for_points = torch.zeros_like(points).index_add(1, faces.reshape(-1), for_corners.reshape(batch, -1, 3))
    return (
        for_points,
        None,
        None,
        for_rays[:, 0].sum(dim=1) if need_across else None,
        for_rays[:, 1].sum(dim=2) if need_down else None,
        for_rays[:, 2].sum(dim=(1, 2)) if need_far else None,
        None,
        None,
    )


torch.library.register_autograd("xraykit::mesh_depth", _backward, setup_context=_setup_context, lib=_LIBRARY)
torch.library.register_autograd("xraykit::mesh_depth_backward", refuse, lib=_LIBRARY)
_LIBRARY.impl("mesh_depth", _depth, "CompositeExplicitAutograd")
_LIBRARY.impl("mesh_depth_backward", _depth_backward, "CompositeExplicitAutograd")
