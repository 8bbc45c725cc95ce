"""Image projections by angles, and pairs of views of random bodies with their true correspondence."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from xraykit.corr.ground_truth import Support, correspondence


def projection(
    azimuth: float,
    elevation: float = 0.0,
    *,
    distance: float = 800.0,
    share: float = 4.0,
    roll: float = 0.0,
    mirrored: bool = False,
) -> Tensor:
    """A camera that looks at the origin from `distance` mm; the image is distance / share mm wide there."""
    a, e = math.radians(azimuth), math.radians(elevation)
    forward = -torch.tensor([math.cos(a) * math.cos(e), math.sin(a) * math.cos(e), math.sin(e)], dtype=torch.float64)
    right = torch.linalg.cross(forward, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    right = right / right.norm()
    axes = torch.stack([right, torch.linalg.cross(forward, right), forward])
    turn = math.radians(roll)
    spin = torch.eye(3, dtype=torch.float64)
    spin[0, 0] = spin[1, 1] = math.cos(turn)
    spin[0, 1], spin[1, 0] = -math.sin(turn), math.sin(turn)
    pose = torch.cat([axes, torch.tensor([0.0, 0.0, distance], dtype=torch.float64)[:, None]], dim=1)
    flip = -1.0 if mirrored else 1.0
    camera = torch.tensor([[flip * share, 0, 0.5], [0, share, 0.5], [0, 0, 1]], dtype=torch.float64)
    return camera @ spin @ pose


def body(seed: int, *, cells: int = 24, edge: float = 160.0) -> Support:
    """Three random ellipsoids in a cube of `edge` mm about the origin."""
    draw = torch.Generator().manual_seed(seed)
    pitch = edge / cells
    affine = torch.diag(torch.tensor([pitch, pitch, pitch, 1.0], dtype=torch.float64))
    affine[:3, 3] = -edge / 2 + pitch / 2
    axis = torch.arange(cells, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
    inside = torch.zeros(cells, cells, cells, dtype=torch.bool)
    for _ in range(3):
        center = cells * (0.25 + 0.5 * torch.rand(3, generator=draw, dtype=torch.float64))
        radii = cells * (0.06 + 0.14 * torch.rand(3, generator=draw, dtype=torch.float64))
        inside |= (((points - center) / radii) ** 2).sum(-1) < 1
    return Support(inside.nonzero(), affine, (cells, cells, cells), None)


def shadow(support: Support, view: Tensor, size: int) -> Tensor:
    """Normalised count of cells along each ray, (1, size, size): a crude X-ray."""
    points = torch.cat([support.points, torch.ones(len(support.cells), 1, dtype=torch.float64)], 1) @ view.mT
    x, y = (points[:, :2] / points[:, 2:] * size).long().unbind(1)
    seen = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    image = torch.zeros(size * size).index_add_(0, (y * size + x)[seen], torch.ones(int(seen.sum())))
    image = torch.nn.functional.avg_pool2d(image.view(1, 1, size, size), 5, stride=1, padding=2)[0]
    return image / image.max().clamp(min=1e-6)


def pairs(count: int, *, size: int = 64, grid: int = 8, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Images (N, 2, 1, S, S), truth (N, L, L) and projections (N, 2, 3, 4) of random bodies from two sides."""
    draw = torch.Generator().manual_seed(seed)
    images, truth, views = [], [], []
    for number in range(count):
        support = body(1000 * seed + number)
        azimuth, elevation = (360 * torch.rand(2, generator=draw)).tolist(), (40 * torch.rand(2, generator=draw) - 20)
        both = [projection(a, e) for a, e in zip(azimuth, elevation.tolist(), strict=True)]
        images.append(torch.stack([shadow(support, view, size) for view in both]))
        truth.append(correspondence(support, both[0], both[1], grid=grid, mode="hard"))
        views.append(torch.stack(both))
    return torch.stack(images), torch.stack(truth), torch.stack(views)
