"""What of each ray a CT knows: a CT that ends inside the patient says nothing of what lies beyond its end."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera, Volume, render
from xraykit.render.geometry import resize_camera

from ..refine.pyramid import blocks_within, samples_through
from ..refine.structure import Structure

BEYOND = 120.0  # mm that tissue may go on beyond the end of a CT
VOXEL = 8.0  # mm: of that, no more than an estimate is wanted
COARSER = 4  # pixels of the image to one of the estimate
THIN = 1e-6  # line integral of nothing


def known_share(body: Structure, camera: Camera, pose: Tensor, drr: Tensor) -> Tensor:
    r"""The share of every ray's attenuation that the CT shows, (H, W) in [0, 1].

    What lies beyond the end of a CT is estimated by its outermost voxels, repeated outwards: nothing where it ends in
    air, more of the same tissue where it ends in the patient.

        share = g / (g + e),    g, e: line integrals inside the CT and beyond it; 1 where there is neither

    Args:
        body: The structure that ends, if any does; of several the one that surrounds the others.
        camera: Of the image.
        pose: Camera to world, (4, 4).
        drr: g, (H, W).
    """
    around = continued(body)
    height, width = (max(8, side // COARSER) for side in drr.shape)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no ray meets")
        small = resize_camera(camera, height=height, width=width)
        beyond = render(around, small, pose[None], samples=samples_through(around))[:, :1]
    beyond = F.interpolate(beyond.to(drr), size=drr.shape, mode="bilinear")[0, 0]
    whole = drr + beyond
    return torch.where(whole > THIN, drr / whole.clamp_min(THIN), torch.ones_like(drr)).clamp(0, 1)


def continued(body: Structure) -> Volume:
    """What a volume would go on with beyond each of its faces if it were endless, and zero where the volume itself is.

    In voxels of at most `VOXEL` mm; what goes on is the outermost layer of the volume's own voxels.
    """
    volume, coarse = body.volume, body.with_voxels(VOXEL)
    blocks, ends = blocks_within(volume, VOXEL), coarse.mu.float() * coarse.mu_scale
    for axis in range(3):
        across = tuple(reversed([block for a, block in enumerate(blocks) if a != 2 - axis]))
        for end in (0, -1):
            face = volume.mu.select(axis, end).float() * volume.mu_scale
            ends.select(axis, end).copy_(F.avg_pool2d(face[None, None], across, ceil_mode=True)[0, 0])
    i, j, k = (max(1, round(BEYOND / step)) for step in coarse.spacing.tolist())
    endless = F.pad(ends[None, None], (i, i, j, j, k, k), mode="replicate")[0, 0].clone()
    endless[k : k + ends.shape[0], j : j + ends.shape[1], i : i + ends.shape[2]] = 0
    affine = coarse.affine.clone()
    affine[:3, 3] -= affine[:3, :3] @ torch.tensor([i, j, k], dtype=affine.dtype)
    return Volume(endless.contiguous(), affine)
