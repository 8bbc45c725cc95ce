"""Columns of Joseph's projector in closed form: which rays through patch centres meet a cell, and with which weight."""

from __future__ import annotations

import torch
from torch import Tensor

from .footprint import Footprints, patch_number, seen
from .support import Support

ENTRIES_AT_ONCE = 1 << 19


def joseph_footprints(
    support: Support, matrix: list[list[float]], grid: int, *, chord: bool, stretch: bool
) -> Footprints:
    r"""Joseph weights of each cell for the G x G rays through patch centres.

    With the ray s + t d in indices, m the axis of the largest |d| and q its point in the cell's slice across m:

        weight = prod_{n != m} max(0, 1 - |q_n - c_n|),   times |E d| / |d_m| [mm] where `chord` is set

    E is the linear part of the affine. Rays are thin: cells smaller than a patch fall between them.

    Args:
        support: N cells.
        matrix: From indices to (x z, y z, z).
        grid: G.
        chord: Multiply by the length of ray per slice.
        stretch: Scale each cell's footprint from its least value over all G^2 rays .. its largest to 0 .. 1.

    Source: Joseph, IEEE Trans. Med. Imaging 1 (1982) 192-196; the columns are our derivation.
    """
    device = support.device
    projection = torch.tensor(matrix, dtype=torch.float64)
    inverse = torch.linalg.inv(projection[:, :3])
    source = (-inverse @ projection[:, 3]).to(device)
    centre = (torch.arange(grid, dtype=torch.float64) + 0.5) / grid
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    ray = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(-1, 3) @ inverse.mT
    main = ray.abs().argmax(dim=1)
    steps = ray / ray.gather(1, main[:, None])  # per slice
    length = (steps @ support.affine[:3, :3].mT).norm(dim=1)
    steps, main, length = steps.mT.contiguous().to(device), main.to(device), length.to(device)
    reach = _reach(support, projection, grid)
    windows = [min(int(2 * most) + 2, grid) for most in reach]
    patches, shares = [], []
    for columns in support.columns.split(max(1, ENTRIES_AT_ONCE // (windows[0] * windows[1])), dim=1):
        first_column, first_row = (
            (value - most - 0.5).ceil().clamp(0, grid - window).long()
            for value, most, window in zip(seen(columns, matrix, grid), reach, windows, strict=False)
        )
        column, row = (
            first + torch.arange(window, device=device)[:, None]
            for first, window in zip((first_column, first_row), windows, strict=True)
        )
        ray_number = (row[:, None] * grid + column[None]).flatten(0, 1)
        weight = _weights(columns, source, steps[:, ray_number], main[ray_number])
        weight = weight * length[ray_number] if chord else weight
        patches.append(patch_number(row[:, None], column[None], grid).flatten(0, 1))
        shares.append(_stretched(weight, grid * grid) if stretch else weight)
    return _compact(torch.cat(patches, dim=1), torch.cat(shares, dim=1).to(torch.float32))


def _weights(columns: Tensor, source: Tensor, step: Tensor, main: Tensor) -> Tensor:
    """Tents (K, N) of N cells (3, N) at K rays each, whose steps per slice are (3, K, N)."""
    towards = columns - source[:, None]
    slices = towards.gather(0, main)
    off = slices * step - towards[:, None]  # zero along the main axis
    return (1 - off.abs_()).clamp_(min=0).prod(dim=0)


def _reach(support: Support, projection: Tensor, grid: int) -> list[float]:
    """A bound on how far, in patches along x and y, a point within one index of a cell is seen from its centre."""
    corners = torch.nn.functional.pad(support.bounds, (0, 1), value=1.0) @ projection.mT
    nearest = float(corners[:, 2].min() - projection[2, :3].abs().sum())
    if nearest <= 0:
        return [float(grid), float(grid)]
    places = corners[:, :2] / corners[:, 2:]  # the box is seen between its corners
    return [
        grid / nearest * max(float((row - end * projection[2, :3]).abs().sum()) for end in (place.min(), place.max()))
        for row, place in zip(projection[:2, :3], places.mT, strict=True)
    ]


def _stretched(weight: Tensor, rays: int) -> Tensor:
    """Each cell's footprint from least .. largest to 0 .. 1; one that is level becomes 0."""
    all_met = (weight > 0).sum(dim=0) == rays
    least = torch.where(all_met, weight.amin(dim=0), 0.0)
    span = weight.amax(dim=0) - least
    return torch.where(span > 0, (weight - least) / torch.where(span > 0, span, 1.0), 0.0).clamp(0, 1)


def _compact(patch: Tensor, share: Tensor) -> Footprints:
    """Only as many entries per cell as the cell with most of them has."""
    met = share > 0
    most = max(1, int(met.sum(dim=0).max()))
    first = (~met).to(torch.uint8).argsort(dim=0, stable=True)[:most]
    return Footprints(patch.gather(0, first), share.gather(0, first))
