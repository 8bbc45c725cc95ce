"""Correspondence computed without any economy: dense footprints, every outer product, in float64."""

import torch
from support.motions import random_rotations
from xraykit.corr.ground_truth import Support
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.render.geometry import project

F64 = torch.float64
MODES = ("share", "hard", "volume", "joseph16", "paper")
CENTER = (12.0, -34.0, 560.0)


def camera(*, zoom: float = 1.0) -> Camera:
    """Odd sizes, unequal spacings, principal point off the centre: nothing cancels."""
    spacing = (2.9 / zoom, 2.1 / zoom)
    return Camera(1000.0, height=30, width=41, pixel_spacing=spacing, principal_point=(19.25, 16.5))


def poses(count: int = 2, *, seed: int = 0, sod: float = 800.0, center=CENTER) -> torch.Tensor:
    """Views from anywhere around a centre, (count, 4, 4)."""
    draw = torch.rand(4, count, dtype=F64, generator=torch.Generator().manual_seed(seed))
    angles = {"lao_rao": 360 * draw[0], "cra_cau": 120 * draw[1] - 60, "roll": 360 * draw[2]}
    return carm_pose(**angles, sod=sod + 40 * draw[3], isocenter=center)


def oblique_affine(cells: int, edge: float, *, seed: int = 3, center=CENTER) -> torch.Tensor:
    """Cubes of `edge` [mm], turned anyhow, `cells` a side around a centre."""
    affine = torch.eye(4, dtype=F64)
    affine[:3, :3] = edge * random_rotations(1, seed=seed)[0].to(F64)
    affine[:3, 3] = torch.tensor(center, dtype=F64) - affine[:3, :3] @ torch.full((3,), (cells - 1) / 2, dtype=F64)
    return affine


def random_support(*, cells: int = 5, edge: float = 10.0, seed: int = 0, weighted: bool = False) -> Support:
    """About half of the cells of an oblique grid."""
    generator = torch.Generator().manual_seed(seed)
    chosen = (torch.rand(cells, cells, cells, generator=generator) < 0.5).nonzero().flip(1)
    weights = torch.rand(len(chosen), generator=generator) if weighted else None
    return Support(chosen, oblique_affine(cells, edge), (cells,) * 3, weights)


def dense(support: Support, view: Camera, pose: torch.Tensor, *, grid: int, mode: str) -> torch.Tensor:
    """C of the two poses, (L, L) float64."""
    spread = support.whole_grid() if mode == "volume" else support
    weights = torch.ones(len(spread.cells), dtype=F64) if spread.weights is None else spread.weights.double()
    makers = {
        "share": shadow,
        "volume": shadow,
        "hard": indicator,
        "joseph16": weight_without_chord,
        "paper": stretched,
    }
    first, second = (makers[mode](spread, view, pose[n : n + 1], grid) for n in (0, 1))
    if mode == "volume":
        met = torch.einsum("va,vb->ab", first, second)
        return torch.einsum("v,va,vb->ab", weights, first, second) / met.max()
    result = torch.zeros(grid**2, grid**2, dtype=F64)
    for weight, one, other in zip(weights, first, second, strict=True):
        result = torch.maximum(result, weight * torch.outer(one, other))
    return result


def indicator(support: Support, view: Camera, pose: torch.Tensor, grid: int) -> torch.Tensor:
    """1 in the patch that holds the centre, (N, L)."""
    uv = project(support.points, view, pose).uv[0]
    place = uv / uv.new_tensor([view.width, view.height]) * grid
    patches = torch.arange(grid)
    hits = [(place[:, n, None].floor() == patches).double() for n in (0, 1)]
    return (hits[1][:, :, None] * hits[0][:, None, :]).flatten(1)


def shadow(support: Support, view: Camera, pose: torch.Tensor, grid: int) -> torch.Tensor:
    """Mass of the separable tent in every patch, (N, L)."""
    seen = project(support.points, view, pose)
    size = seen.uv.new_tensor([view.width, view.height])
    pitch = size * seen.uv.new_tensor(view.pixel_spacing).flip(0) / grid  # of a patch on the detector, mm
    place = seen.uv[0] / size * grid
    half = view.sdd / seen.depth[0][:, None] * support.affine[:3, 0].norm() / pitch
    edges = torch.arange(grid + 1, dtype=F64)
    below = []
    for n in (0, 1):
        s = ((edges - place[:, n, None]) / half[:, n, None]).clamp(-1, 1)
        below.append(0.5 + s - s * s.abs() / 2)
    across, down = (each.diff(dim=1) for each in below)
    return (down[:, :, None] * across[:, None, :]).flatten(1)


def joseph_columns(support: Support, view: Camera, pose: torch.Tensor, grid: int) -> torch.Tensor:
    """The core's own projector on one volume per cell with that cell alone, (N, L) [mm]."""
    rays = Camera(
        view.sdd, height=grid, width=grid,
        pixel_spacing=(view.pixel_spacing[0] * view.height / grid, view.pixel_spacing[1] * view.width / grid),
        principal_point=(view.principal_point[0] * grid / view.width, view.principal_point[1] * grid / view.height),
    )  # fmt: skip
    columns = []
    for i, j, k in support.cells.tolist():
        mu = torch.zeros(support.shape[::-1], dtype=F64)
        mu[k, j, i] = 1.0
        columns.append(render(Volume(mu, support.affine), rays, pose, method="joseph", backend="torch").flatten())
    return torch.stack(columns)


def weight_without_chord(support: Support, view: Camera, pose: torch.Tensor, grid: int) -> torch.Tensor:
    """Joseph's weights without the length of ray per slice, (N, L)."""
    y, x = torch.meshgrid(*[(torch.arange(grid, dtype=F64) + 0.5) / grid] * 2, indexing="ij")
    uv = torch.stack([x * view.width, y * view.height], dim=-1).reshape(-1, 2)
    spacing = uv.new_tensor(view.pixel_spacing).flip(0)
    ray = torch.cat([(uv - uv.new_tensor(view.principal_point)) * spacing / view.sdd, torch.ones_like(uv[:, :1])], 1)
    world = ray @ pose[0, :3, :3].mT
    index = world @ torch.linalg.inv(support.affine[:3, :3]).mT
    return joseph_columns(support, view, pose, grid) / (world.norm(dim=1) / index.abs().amax(dim=1))


def stretched(support: Support, view: Camera, pose: torch.Tensor, grid: int) -> torch.Tensor:
    """Each column from least .. largest to 0 .. 1; a level one is 0."""
    columns = joseph_columns(support, view, pose, grid)
    least, most = columns.amin(1, keepdim=True), columns.amax(1, keepdim=True)
    return torch.where(most > least, (columns - least) / (most - least).clamp(min=1e-30), 0.0)
