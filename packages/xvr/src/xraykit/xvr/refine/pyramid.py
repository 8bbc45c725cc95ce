"""X-rays and volumes at a coarser scale, so that a pixel and a voxel see about the same piece of the patient."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera, Volume
from xraykit.render.geometry import resize_camera

from ..xray.shot import Shot

SPAN = 52  # px: what the smallest of several bodies must span at least


def shrunk_shot(shot: Shot, longest: int) -> tuple[Tensor, Tensor, Camera]:
    """Image (H, W), valid pixels (H, W) and camera of a shot whose longer side has at most `longest` pixels.

    Pixels are averaged (antialiased, borders of the detector kept in place); invalid ones are first replaced by the
    median of the valid, and a pixel stays valid only if all that went into it was.
    """
    image = shot.image.float()
    valid = torch.ones_like(image, dtype=torch.bool) if shot.valid is None else shot.valid
    image = torch.where(valid, image, image[valid].median())
    height, width = image.shape
    factor = longest / max(height, width)
    if factor >= 1:
        return image, valid, shot.camera
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    smaller = _resized(image, size)
    return smaller, _resized(valid.float(), size) > 0.999, resize_camera(shot.camera, height=size[0], width=size[1])


def blocks_within(volume: Volume, voxel: float) -> tuple[int, int, int]:
    """How many voxels along i, j, k make one of at most `voxel` [mm]; 1 where they are that large already."""
    spacing, shape = volume.spacing.tolist(), tuple(reversed(volume.shape))
    i, j, k = (max(1, min(int(voxel / s + 1e-6), n)) for s, n in zip(spacing, shape, strict=True))
    return i, j, k


def shrunk_volume(volume: Volume, blocks: tuple[int, int, int]) -> Volume:
    """The volume with voxels averaged in blocks (along i, j, k), without labels and Hounsfield numbers.

    Stored as 16-bit integers where attenuation is nowhere negative (half the memory traffic, see
    `Volume.stored_as`), otherwise as float32. Blocks that reach beyond the grid count what is missing as zero.
    """
    mu = volume.mu if volume.mu.is_floating_point() else volume.mu * volume.mu_scale
    mu, affine = mu.float(), volume.affine.clone()
    if max(blocks) > 1:
        kernel = tuple(reversed(blocks))
        excess = [-n % b for n, b in zip(mu.shape, kernel, strict=True)]
        padded = F.pad(mu[None, None], (0, excess[2], 0, excess[1], 0, excess[0])) if any(excess) else mu[None, None]
        mu = F.avg_pool3d(padded, kernel)[0, 0]
        first = torch.tensor([(b - 1) / 2 for b in blocks], dtype=torch.float64)
        affine[:3, 3] += affine[:3, :3] @ first
        affine[:3, :3] *= torch.tensor(blocks, dtype=torch.float64)
    coarse = Volume(mu.contiguous(), affine)
    return coarse.stored_as(torch.int16) if bool(mu.min() >= 0) else coarse


def footprint(camera: Camera, pose: Tensor, center: Tensor) -> float:
    """How wide a pixel is at the depth of `center` [mm]: the smaller spacing times depth / sdd, over all poses."""
    sdd, spacing, _ = camera.tensors(dtype=torch.float64, device="cpu")
    poses = pose.double().reshape(-1, 4, 4)
    depth = ((center.double() - poses[:, :3, 3]) * poses[:, :3, 2]).sum(-1).abs()
    return float(spacing.min() * depth.median() / sdd.min())


def scales_showing(camera: Camera, poses: Tensor, volumes: Sequence[Volume]) -> tuple[int, ...]:
    """Three scales for bodies that are small in the image, coarse to fine, each twice the one before.

    At the coarsest the longest edge of the smallest body spans `SPAN` pixels; none is larger than the image.

    Args:
        camera: Of one view.
        poses: Camera to each body, (K, 4, 4).
        volumes: The K bodies.
    """
    edges = [float((volume.spacing * torch.tensor(tuple(reversed(volume.shape)))).max()) for volume in volumes]
    seen = [
        edge / footprint(camera, pose, volume.center) for edge, pose, volume in zip(edges, poses, volumes, strict=True)
    ]
    longest = max(camera.height, camera.width)
    coarsest = max(16, math.ceil(longest * SPAN / min(seen)))
    return tuple(sorted({min(coarsest * 2**level, max(16, longest)) for level in range(3)}))


def samples_through(volume: Volume) -> int:
    """Samples for steps of about one voxel: the grid's diagonal over its smallest spacing, 64 at least."""
    spacing = volume.spacing
    extent = spacing * torch.tensor(tuple(reversed(volume.shape)), dtype=spacing.dtype)
    return max(64, math.ceil(float(extent.norm() / spacing.min()) * 0.7))


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image[None, None], size=size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
