"""The projectors as Triton kernels for CUDA: the same six functions as every kernel package (see kernels/ops.py).

    lanes.py      which pixel and which part of its ray a lane serves; clipping; joining; label channels
    trilinear.py  siddon.py  joseph.py      the marches: image, derivative of the image with respect to its ray, adjoint
    triangles.py  closed meshes (see kernels/mesh_ops.py)

Images, derivatives and label bits are reproducible and independent of the batch. The adjoint, and the gradient of mesh
thickness with respect to intrinsics, add with atomics, so their last bits vary. The marches take float32, float16,
bfloat16 and int16 voxels and add in float32.
"""

# constexpr parameters take plain values, which the type checker cannot know.
# pyright: reportArgumentType=false
from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor

from ...errors import InputError
from . import joseph, siddon, trilinear
from .lanes import BLOCK, CHUNKS, WARPS

_OPTIONS = {"num_warps": WARPS, "enable_fp_fusion": True}
_FEW_SAMPLES = 32  # below this many samples a ray is not worth cutting

_MARCH = {"siddon": siddon.march_kernel, "joseph": joseph.march_kernel}
_DERIVATIVE = {
    "siddon": siddon.derivative_kernel,
    "joseph": joseph.derivative_kernel,
    "trilinear": trilinear.derivative_kernel,
}


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
    """The integral over alpha of each label's channel (one channel without labels), (B, C, H, W) float32.

    Args:
        mu: (D, H, W) voxels; rows may be padded (any strides of the first two axes).
        labels: (D, H, W) integers or None.
        rays: (B, 4, 3) float64, the rows source, corner, du, dv in voxel coordinates; see geometry/rays.py.
        method: "siddon", "trilinear" or "joseph".
        height: Rows of the image.
        width: Columns of the image.
        samples: Samples per ray, only for trilinear.
        channels: C; labels without a channel are dropped.
        soft: Give each voxel's share to that voxel's own label instead of the nearest voxel's.
    """
    mu, labels, rays = _packed(mu), _plain(labels), rays.to(torch.float64).contiguous()
    if labels is None:
        image = mu.new_empty((len(rays), 1, height, width), dtype=torch.float32)
        chunks = _chunks(method, samples)
    else:  # the kernels add to their channels; one lane owns a pixel
        image = mu.new_zeros((len(rays), channels, height, width), dtype=torch.float32)
        chunks = 1
    options = {**_grid(mu), **_sampling(method, samples, mu), "height": height, "width": width, "CHUNKS": chunks}
    if method != "trilinear":
        options |= {"channels": channels, "LABELS": _kind(method, labels, soft), "ADJOINT": False}
        _launch(_MARCH[method], len(rays), mu, labels, rays, rays, image, **options)
    elif labels is None:
        _launch(trilinear.image_kernel, len(rays), mu, rays, image, **options, EVEN=samples % chunks == 0)
    else:
        _launch(trilinear.channels_kernel, len(rays), mu, labels, rays, image, **options, channels=channels, SOFT=soft)
    return image


def project_with_jacobian(
    mu: Tensor, rays: Tensor, *, method: str, height: int, width: int, samples: int
) -> tuple[Tensor, Tensor]:
    """The integral over alpha (B, 1, H, W) and each pixel's d integral / d(source, direction) (B, 6, H, W).

    Derivatives are with respect to (source_i, source_j, source_k, direction_i, direction_j, direction_k) in voxel
    coordinates, including the motion of the ray's ends with the grid's boundary.
    """
    image = mu.new_empty((len(rays), 1, height, width), dtype=torch.float32)
    jacobian = _derive(mu, None, rays, None, image, method, samples, False)
    return image, jacobian


def project_stack(stack: Tensor, rays: Tensor, *, height: int, width: int, samples: int) -> Tensor:
    """Trilinear integrals of every quantity of a stack (D, H, W, C), one march each: (B, C, H, W) float32."""
    size = {"method": "trilinear", "height": height, "width": width, "samples": samples}
    layers = (stack[..., c].contiguous() for c in range(stack.shape[3]))
    return torch.cat([project(mu, None, rays, channels=1, soft=False, **size) for mu in layers], dim=1)


def ray_gradient(
    mu: Tensor, labels: Tensor | None, rays: Tensor, grad: Tensor, *, method: str, samples: int, soft: bool
) -> Tensor:
    """Per pixel d(sum_c grad_c out_c) / d(source, direction), (B, 6, H, W); grad is (B, C, H, W)."""
    return _derive(mu, labels, rays, grad, None, method, samples, soft)


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
    """The adjoint of `project`: grad (B, C, H, W) spread over the voxels that it came from, (D, H, W) float32.

    Raises:
        InputError: Deterministic algorithms are asked for; atomics add in any order.
    """
    if torch.are_deterministic_algorithms_enabled() and not torch.is_deterministic_algorithms_warn_only_enabled():
        raise InputError(
            "the gradient with respect to mu must be deterministic (torch.use_deterministic_algorithms), "
            "got backend='triton', which adds with atomics; use backend='torch' (or 'numba' on the CPU)."
        )
    labels, rays, grad = _plain(labels), rays.to(torch.float64).contiguous(), grad.contiguous().float()
    _, channels, height, width = grad.shape
    volume = grad.new_zeros(shape)
    options = {**_sizes(volume), **_sampling(method, samples, volume), "LABELS": _kind(method, labels, soft)}
    options |= {"height": height, "width": width, "channels": channels, "CHUNKS": _chunks(method, samples)}
    if method == "trilinear":
        _launch(trilinear.adjoint_kernel, len(rays), labels, rays, grad, volume, **options)
    else:
        options |= _grid(volume)
        _launch(_MARCH[method], len(rays), grad, labels, rays, grad, volume, **options, ADJOINT=True)
    return volume


def label_bits(labels: Tensor, rays: Tensor, *, height: int, width: int, words: int) -> Tensor:
    """The labels whose voxels each ray crosses: label l is bit l % 32 of word l // 32; (B, words, H, W) int32."""
    labels, rays = _integers(labels), rays.to(torch.float64).contiguous()
    bits = rays.new_zeros((len(rays), words, height, width), dtype=torch.int32)
    options = {**_sizes(labels), "height": height, "width": width, "words": words, "CHUNKS": CHUNKS}
    _launch(siddon.bits_kernel, len(rays), labels, rays, bits, **options)
    return bits


def _derive(
    mu: Tensor,
    labels: Tensor | None,
    rays: Tensor,
    grad: Tensor | None,
    image: Tensor | None,
    method: str,
    samples: int,
    soft: bool,
) -> Tensor:
    mu, labels, rays = _packed(mu), _plain(labels), rays.to(torch.float64).contiguous()
    given = image if grad is None else grad.contiguous().float()
    if given is None:
        raise InputError("give grad or image, got neither.")
    _, channels, height, width = given.shape
    out = given.new_empty((len(rays), 6, height, width), dtype=torch.float32)
    options = {**_grid(mu), **_sampling(method, samples, mu), "LABELS": _kind(method, labels, soft)}
    options |= {"height": height, "width": width, "channels": channels, "CHUNKS": _chunks(method, samples)}
    _launch(_DERIVATIVE[method], len(rays), mu, labels, rays, given, given, out, **options, IMAGE=image is not None)
    return out


def _launch(kernel: Any, views: int, *tensors: Tensor | None, **options: Any) -> None:
    """Run a march on every pixel of every view; tensors and options are named as in the kernel."""
    pixels = BLOCK // options["CHUNKS"]
    across = 16 if pixels == 128 else 8
    blocks = views * triton.cdiv(options["width"], across) * triton.cdiv(options["height"], pixels // across)
    if blocks:
        with torch.cuda.device_of(tensors[-1]):
            kernel[(blocks,)](*tensors, **options, BLOCK=BLOCK, **_OPTIONS)


def _chunks(method: str, samples: int) -> int:
    """How many lanes share a ray: a matter of method and samples alone, never of the batch."""
    return CHUNKS if method != "trilinear" or samples >= _FEW_SAMPLES else 1


def _sampling(method: str, samples: int, mu: Tensor) -> dict[str, int]:
    """What the trilinear march alone wants to know."""
    return {"samples": samples, "NEXT_I": int(mu.shape[2] > 1)} if method == "trilinear" else {}


def _kind(method: str, labels: Tensor | None, soft: bool) -> str | bool:
    """The kernels' LABELS: siddon's voxels have one label each, so hard and soft are the same there."""
    if method == "siddon":
        return labels is not None
    return "none" if labels is None else "soft" if soft else "hard"


def _packed(mu: Tensor) -> Tensor:
    """The voxels with unit stride along rows and offsets that fit 32 bits; copied only if they have not."""
    reach = sum((size - 1) * stride for size, stride in zip(mu.shape, mu.stride(), strict=True))
    return mu if (mu.stride(2) == 1 or mu.shape[2] == 1) and reach < 2**31 else mu.contiguous()


def _plain(labels: Tensor | None) -> Tensor | None:
    return None if labels is None else _integers(labels)


def _integers(labels: Tensor) -> Tensor:
    return (labels.to(torch.uint8) if labels.dtype == torch.bool else labels).contiguous()


def _sizes(mu: Tensor) -> dict[str, int]:
    n_k, n_j, n_i = mu.shape
    return {"n_i": n_i, "n_j": n_j, "n_k": n_k}


def _grid(mu: Tensor) -> dict[str, int]:
    return {**_sizes(mu), "stride_j": mu.stride(1), "stride_k": mu.stride(0)}
