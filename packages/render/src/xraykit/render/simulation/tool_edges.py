"""Metal edges inside a pixel: several rays through each pixel where tools vary, averaged as the detector does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..geometry.camera import Camera
from ..geometry.intrinsics import resize_camera


def finer(camera: Camera, rays: int) -> Camera:
    """The same detector with `rays` x `rays` rays through each pixel."""
    return camera if rays == 1 else resize_camera(camera, height=rays * camera.height, width=rays * camera.width)


def pixel_means(
    fine: Float[Tensor, "batch tools fine_rows fine_columns"], rays: int
) -> Float[Tensor, "batch tools rows columns"]:
    """Mean over each pixel's rays, (B, T, nH, nW) to (B, T, H, W)."""
    if fine.shape[1] == 0:  # avg_pool2d refuses an empty axis
        return fine[..., ::rays, ::rays]
    return fine if rays == 1 else torch.nn.functional.avg_pool2d(fine, rays)


def transmission_over_pixels(
    area: Tensor,
    fine: Tensor,
    columns: Sequence[int],
    densities: Tensor,
    rays: int,
    transmit: Callable[[Tensor], Tensor],
) -> Tensor:
    r"""Transmission averaged over each pixel, (B, 1, H, W).

        T = mean over the pixel's rays r of transmit(A + sum_t rho_t (L_tr - mean_r L_tr) / 10)

    with A the area densities of the pixel, in which each tool already counts with its mean length. What is not a tool
    is taken as constant over the pixel: voxels are as wide as pixels or wider.

    Args:
        area: Area densities [g/cm2], (B, M, H, W).
        fine: Path lengths in the tools for every ray [mm], (B, T, nH, nW).
        columns: The material (0 to M - 1) of each tool.
        densities: Of each tool [g/cm3], (T,).
        rays: n, rays along each side of a pixel.
        transmit: Transmission of area densities (1, M, n * n, P), one pixel per column, as (1, 1, n * n, P).

    Gradients: to area, fine and densities.
    """
    plain = transmit(area)
    if rays == 1 or fine.shape[1] == 0:
        return plain
    through = [fine[..., n // rays :: rays, n % rays :: rays] for n in range(rays**2)]  # the n-th ray of every pixel
    varied = torch.stack([(ray != through[0]).any(dim=1) for ray in through[1:]]).any(dim=0)
    view, row, column = varied.nonzero(as_tuple=True)
    if len(view) == 0:
        return plain
    lengths = torch.stack([ray[view, :, row, column] for ray in through], dim=2)  # (P, T, n * n)
    mass = (lengths - lengths.mean(dim=2, keepdim=True)) * (densities.to(lengths) / 10)[:, None]
    index = torch.tensor(columns, device=area.device)
    local = area[view, :, row, column][:, :, None].expand(-1, -1, rays * rays).index_add(1, index, mass.to(area))
    mean = transmit(local.permute(1, 2, 0)[None]).mean(dim=2)[0, 0]
    return plain[:, 0].index_put((view, row, column), mean)[:, None]
