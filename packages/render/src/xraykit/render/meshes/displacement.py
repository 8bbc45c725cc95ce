"""What tools push aside: the part of a line integral that lies inside meshes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..errors import InputError
from ..geometry.camera import Camera
from ..rendering.options import Backend
from ..volumes.interpolation import Field, grid_field
from ..volumes.volume import Volume
from .mesh import Mesh
from .mesh_thickness import Sight, hits_of, mesh_backend, see_meshes

_SAMPLES_AT_ONCE = 2**19


class Intervals(NamedTuple):
    """N stretches of rays inside the union of the meshes, in one view: pixel (N,) is row * W + column, and depths.

    enter, leave (N,) are z [mm], 0 <= enter <= leave <= sdd.
    """

    pixel: Tensor
    enter: Tensor
    leave: Tensor


def displaced(
    tissue: Volume | Field,
    meshes: Sequence[Mesh],
    camera: Camera,
    pose: Float[Tensor, "#batch 4 4"] | Float[Tensor, "4 4"],
    *,
    poses: Float[Tensor, "meshes 4 4"] | Float[Tensor, "#batch meshes 4 4"] | None = None,
    step: float = 0.5,
    backend: Backend = "auto",
) -> Float[Tensor, "batch channels {camera.height} {camera.width}"]:
    r"""The integral of the tissue over the part of each ray inside at least one mesh: what to subtract from its image.

        D(r, c) = |d| sum over intervals of integral_enter^leave tissue(source + z d) dz

    Where meshes overlap the tissue is taken once. `render(volume, ...) - displaced(volume, ...)` is the tissue that is
    left around the tools; adding mu * `thickness` of each tool completes the scene.

    Args:
        tissue: A volume, read as its trilinear interpolant with zeros around it (what `render` integrates with
            method="trilinear"); or a function from world points (N, 3) [mm] to C quantities per mm (C, N), for
            instance the density of each material (see `volume_field`).
        meshes: Closed meshes.
        camera: Intrinsics, shared or one per view.
        pose: Camera to world [mm], (B, 4, 4) or (4, 4).
        poses: Mesh to world, as in `thickness`.
        step: Distance between samples [mm]: the midpoints of cells that start at the source, the first and last cell
            of each interval cut off by its ends.
        backend: Who finds the intervals, as in `thickness`.

    Returns:
        (B, C, H, W) float64, C = 1 for a volume; in the unit of `render` for a volume.

    Raises:
        InputError: step is not positive, or as for `thickness`.

    Gradients: to poses, pose, vertices and intrinsics (through the ends of the intervals and the sample points) and to
    whatever the field depends on, mu included. Complete: a sample comes and goes with a cell of length zero, so the
    result is continuous in all of them.

    Accuracy: the ends are exact; between them the midpoint rule, second order in step where the tissue is smooth.
    Cost is proportional to the tissue inside the tools, not to the image. Memory: `_SAMPLES_AT_ONCE` samples.
    """
    if not step > 0:
        raise InputError(f"step must be a positive length in mm, got {step}.")
    field = volume_field(tissue) if isinstance(tissue, Volume) else tissue
    sight = see_meshes(meshes, camera, pose, poses)
    name = mesh_backend(backend, sight)
    pose = (pose[None] if pose.ndim == 2 else pose).to(sight.points).expand(len(sight.points), -1, -1)
    views = [_integrate(field, sight, view, name, pose[view], step) for view in range(len(pose))]
    return torch.stack(views).reshape(len(pose), -1, camera.height, camera.width)


def intervals_inside(sight: Sight, view: int, backend: str) -> Intervals:
    """Where the rays of one view are inside the union of the meshes, in order along each ray.

    Along a ray the winding number starts at the sum of all signs (1 for a source inside a solid), rises at each entry
    and falls at each exit; it ends at 0, so one running sum serves all pixels.
    """
    hits, z = hits_of(sight, view, backend)
    width, far = sight.across.shape[1], sight.far[view]
    pixel = hits.row * width + hits.column
    seen, index = pixel.unique(return_inverse=True)
    at_source = torch.zeros(len(seen), dtype=torch.float64, device=z.device).index_add_(0, index, hits.sign)
    pixel, change = torch.cat([seen, pixel]), torch.cat([at_source, -hits.sign])
    depth = torch.cat([torch.zeros_like(at_source), z])
    by_depth = depth.detach().argsort(stable=True)
    order = by_depth[pixel[by_depth].argsort(stable=True)]
    winding = change[order].cumsum(dim=0)[:-1]
    pixel, depth = pixel[order], torch.minimum(depth[order], far)
    inside = torch.nonzero((winding > 0.5) & (depth[1:] > depth[:-1]))[:, 0]
    return Intervals(pixel[inside], depth[inside], depth[inside + 1])


def volume_field(volume: Volume) -> Field:
    """The volume's trilinear interpolant as a function from world points (N, 3) [mm] to mu [1/mm], (1, N).

    Zero outside; differentiable with respect to points and mu.
    """
    field = grid_field(volume.mu[..., None], volume.affine, dtype=torch.float64)
    return lambda points: field(points) * volume.mu_scale


def _integrate(field: Field, sight: Sight, view: int, backend: str, pose: Tensor, step: float) -> Tensor:
    """(C, H * W) of one view."""
    pixel, enter, leave = intervals_inside(sight, view, backend)
    across, down = sight.across[view], sight.down[view]
    x, y = across[pixel % len(across)], down[pixel // len(across)]
    slope = (1 + x**2 + y**2).sqrt()
    direction = torch.stack([x, y, torch.ones_like(x)], dim=1) @ pose[:3, :3].mT
    pitch = step / slope  # of the cells, in z
    lowest = (enter / pitch).detach().floor()
    count = ((leave / pitch).detach().ceil() - lowest).clamp(min=1).long()

    def sums(first: int, last: int) -> Tensor:
        """The integral over each interval from first to last, (C, last - first)."""
        chosen = count[first:last]
        which = torch.repeat_interleave(torch.arange(first, last, device=chosen.device), chosen)
        number = torch.arange(len(which), device=chosen.device) - (chosen.cumsum(0) - chosen)[which - first]
        low = (lowest[which] + number) * pitch[which]
        begin, end = torch.maximum(low, enter[which]), torch.minimum(low + pitch[which], leave[which])
        values = field(pose[:3, 3] + ((begin + end) / 2)[:, None] * direction[which])
        terms = values.to(torch.float64) * ((end - begin) * slope[which])
        parts = torch.zeros(len(values), last - first, dtype=torch.float64, device=low.device)
        return parts.index_add(1, which - first, terms)

    pieces = []
    for first, last in _groups(count):
        keep = torch.is_grad_enabled() and len(pixel) > last - first
        pieces.append(checkpoint(sums, first, last, use_reentrant=False) if keep else sums(first, last))
    integral = torch.cat(pieces, dim=1)
    image = torch.zeros(len(integral), len(across) * len(down), dtype=torch.float64, device=integral.device)
    return image.index_add(1, pixel, integral)


def _groups(count: Tensor) -> list[tuple[int, int]]:
    """Ranges of intervals with about `_SAMPLES_AT_ONCE` samples each; one empty range if there is none."""
    if len(count) == 0:
        return [(0, 0)]
    group = (count.cumsum(0) - count) // _SAMPLES_AT_ONCE
    sizes = torch.unique_consecutive(group, return_counts=True)[1]
    ends = sizes.cumsum(0).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))
