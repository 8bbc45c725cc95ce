"""Projectors for the CPU, compiled by numba: the six functions that kernels/ops.py expects of a backend.

Rays are (B, 4, 3) float64 as made by `voxel_rays`; results are integrals over alpha, not yet times the ray length.
Threads follow torch.get_num_threads(); results do not depend on their number, on the batch, or on each other.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import joseph, siddon, trilinear, trilinear_labels
from . import stack as stack_march
from .bricks import filled_bricks
from .label_faces import draw_label_bits, is_drawn
from .launch import Grid, flat_memory, grid_of, in_parallel, labels_like
from .ray import TILE_COLUMNS, TILE_ROWS

_TILES_AT_ONCE = 8


def project(
    mu: Tensor,
    labels: Tensor | None,
    rays: Tensor,
    *,
    method: str,
    height: int,
    width: int,
    samples: int,
    channels: int,
    soft: bool,
) -> Tensor:
    """The integral of every pixel's ray, per label channel: (B, channels, H, W) float32."""
    grid, image = grid_of(mu), _zeros(len(rays), channels, height, width)
    if labels is None and method != "siddon":
        _march_tiles(method, grid, rays, samples, image, None)
    else:
        flat_labels = None if labels is None else labels_like(labels, mu)
        _march(method, grid, flat_labels, soft, None, rays, samples, image=image)
    return torch.from_numpy(image)


def project_with_jacobian(
    mu: Tensor, rays: Tensor, *, method: str, height: int, width: int, samples: int
) -> tuple[Tensor, Tensor]:
    """The image (B, 1, H, W) and each pixel's derivative with respect to its source and direction (B, 6, H, W)."""
    grid, image = grid_of(mu), _zeros(len(rays), 1, height, width)
    jacobian = _zeros(len(rays), 6, height, width)
    if method == "trilinear":
        _march_tiles(method, grid, rays, samples, image, jacobian)
    else:
        _march(method, grid, None, False, None, rays, samples, image=image, jacobian=jacobian)
    return torch.from_numpy(image), torch.from_numpy(jacobian)


def project_stack(stack: Tensor, rays: Tensor, *, height: int, width: int, samples: int) -> Tensor:
    """Trilinear integrals of every quantity of a stack (D, H, W, C) in one march: (B, C, H, W) float32."""
    depth, rows, columns, channels = stack.shape
    thin = [p for size in (columns, rows, depth) for p in (0, int(size == 1))]
    padding = [0, -channels % (4 if channels > 2 else 2), *thin]
    if any(padding) or stack.stride(3) != 1 or stack.stride(2) != channels:
        stack = torch.nn.functional.pad(stack.detach(), padding).contiguous()
    wide = stack.shape[3]
    sizes, row, plane = (columns, rows, depth), stack.stride(1) // wide, stack.stride(0) // wide
    flat = flat_memory(stack)
    filled = filled_bricks(stack)
    image, lines = _zeros(len(rays), wide, height, width), _numbers(rays)

    def work(first: int, last: int) -> None:
        stack_march.march_tiles(flat, sizes, row, plane, filled, lines, samples, image, first, last)

    tiles = len(rays) * -(-height // TILE_ROWS) * -(-width // TILE_COLUMNS)
    in_parallel(work, tiles, at_once=_TILES_AT_ONCE)
    return torch.from_numpy(image)[:, :channels].contiguous()


def ray_gradient(
    mu: Tensor, labels: Tensor | None, rays: Tensor, grad: Tensor, *, method: str, samples: int, soft: bool
) -> Tensor:
    """The gradient of sum(grad * image) with respect to each pixel's source and direction, (B, 6, H, W)."""
    batch, _, height, width = grad.shape
    jacobian = _zeros(batch, 6, height, width)
    flat_labels = None if labels is None else labels_like(labels, mu)
    _march(method, grid_of(mu), flat_labels, soft, _numbers(grad), rays, samples, jacobian=jacobian)
    return torch.from_numpy(jacobian)


def backproject(
    labels: Tensor | None,
    rays: Tensor,
    grad: Tensor,
    *,
    method: str,
    samples: int,
    soft: bool,
    shape: tuple[int, int, int],
) -> Tensor:
    """The adjoint of `project`: each voxel's gradient (D, H, W), added up in a fixed order of rays."""
    depth, height, width = shape
    target = np.zeros(shape, np.float32)
    flat_labels = None if labels is None else labels_like(labels, torch.empty(1).expand(shape).new_empty(shape))
    grid = Grid(np.empty(0, np.float32), (width, height, depth), width, height * width)
    _march(method, grid, flat_labels, soft, _numbers(grad), rays, samples, target=target)
    return torch.from_numpy(target)


def label_bits(labels: Tensor, rays: Tensor, *, height: int, width: int, words: int) -> Tensor:
    """The labels that each ray crosses, as bits of (B, words, H, W) int32."""
    bits, lines = np.zeros((len(rays), words, height, width), np.int32), _numbers(rays)
    kind = torch.uint8 if words <= 8 else torch.int16 if words <= 1024 else torch.int32
    grid = grid_of(labels.to(kind))
    if is_drawn(lines, grid.sizes, height * width):
        draw_label_bits(grid.flat, grid.sizes, grid.row, grid.plane, lines, bits)
    else:
        filled = filled_bricks(labels)
        _march("siddon", grid._replace(flat=None), grid.flat, False, None, rays, 0, bits=bits, filled=filled)
    return torch.from_numpy(bits)


def _march_tiles(
    method: str, grid: Grid, rays: Tensor, samples: int, image: np.ndarray, jacobian: np.ndarray | None
) -> None:
    batch, _, height, width = image.shape
    tiles = batch * -(-height // TILE_ROWS) * -(-width // TILE_COLUMNS)
    volume = (grid.flat, grid.sizes, grid.row, grid.plane, _numbers(rays))

    def work(first: int, last: int) -> None:
        if method == "joseph":
            joseph.march_tiles(*volume, image, first, last)
        elif method == "trilinear":
            trilinear.march_tiles(*volume, samples, image, jacobian, first, last)
        else:
            raise NotImplementedError(f"no tiles for {method}")

    in_parallel(work, tiles, at_once=_TILES_AT_ONCE)


def _march(
    method: str,
    grid: Grid,
    labels: np.ndarray | None,
    soft: bool,
    grad: np.ndarray | None,
    rays: Tensor,
    samples: int,
    *,
    image: np.ndarray | None = None,
    jacobian: np.ndarray | None = None,
    bits: np.ndarray | None = None,
    filled: np.ndarray | None = None,
    target: np.ndarray | None = None,
) -> None:
    """Share the pixels among threads, or, for the adjoint, the layers of the volume, so that no two threads collide."""
    lines, depth = _numbers(rays), grid.sizes[2]
    shaped = next(a for a in (image, jacobian, bits, grad) if a is not None)
    frame = (shaped.shape[2], shaped.shape[3])
    pixels = shaped.shape[0] * frame[0] * frame[1]
    flat = None if target is not None else grid.flat
    place = (grid.sizes, grid.row, grid.plane)

    def work(first: int, last: int) -> None:
        layers, span = ((first, last), (0, pixels)) if target is not None else ((0, depth), (first, last))
        if method == "siddon":
            roles = (grad, lines, image, jacobian, bits, target)
            siddon.march_pixels(flat, labels, filled, *roles, *place, layers, frame, span)
        elif method == "joseph":
            joseph.march_pixels(flat, labels, soft, grad, lines, image, jacobian, target, *place, layers, frame, span)
        elif method == "trilinear":
            trilinear_labels.march_pixels(
                flat, labels, soft, grad, lines, samples, image, jacobian, target, *place, layers, frame, span
            )
        else:
            raise NotImplementedError(f"no march for {method}")

    if target is None:
        in_parallel(work, pixels, at_once=4 * frame[1])
    else:
        in_parallel(work, depth, at_once=max(1, -(-depth // (4 * torch.get_num_threads()))))


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()
