"""A lopsided body in HU that alignment can hold on to, and the same body elsewhere."""

import torch
from torch import Tensor
from xraykit.render import Volume
from xraykit.render.geometry import se3_exp, voxel_to_world

EDGE = 1.0  # mm: surfaces blur a little, as in any scanner
MOTION = se3_exp(torch.tensor([12.0, -9.0, 15.0, 0.12, -0.08, 0.15], dtype=torch.float64))


def _hu(points: Tensor) -> Tensor:
    """HU of a torso-like body at world points (..., 3) [mm]."""
    x, y, z = points.unbind(-1)
    hu = torch.full_like(x, -1000.0)
    solids = [
        ((0, 0, 0), (75, 55, 300), 40.0),
        ((-35, 8, 30), (22, 26, 45), -700.0),
        ((35, 8, 40), (26, 24, 40), -750.0),
        ((0, -38, 0), (10, 10, 300), 600.0),
        ((30, 5, -40), (28, 22, 25), 120.0),
        ((-25, 20, -50), (12, 25, 14), 300.0),
    ]
    for center, radii, value in solids:
        squares = sum(((c - m) / r) ** 2 for c, m, r in zip((x, y, z), center, radii, strict=True))
        share = torch.sigmoid((1 - squares.sqrt()) * min(radii) / EDGE)
        hu = hu + share * (value - hu)
    return hu


def body(
    *, affine: Tensor | None = None, shape: tuple[int, int, int] = (44, 36, 48), moved: Tensor | None = None
) -> Volume:
    """The body sampled on a grid (default 4 mm about the origin), after a motion of it in the world."""
    if affine is None:
        affine = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0], dtype=torch.float64))
        affine[:3, 3] = -2.0 * torch.tensor(shape[::-1], dtype=torch.float64)
    axes = [torch.arange(n, dtype=torch.float64) for n in shape]
    k, j, i = torch.meshgrid(*axes, indexing="ij")
    points = voxel_to_world(torch.stack([i, j, k], dim=-1), affine)
    if moved is not None:
        back = torch.linalg.inv(moved)
        points = points @ back[:3, :3].T + back[:3, 3]
    return Volume.from_hu(_hu(points).float(), affine)
