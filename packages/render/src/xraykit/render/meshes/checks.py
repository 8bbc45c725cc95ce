"""What must hold of a mesh before a path length through it means anything."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import InputError

if TYPE_CHECKING:
    from .mesh import Mesh


def check_closed(faces: Tensor, *, name: str = "mesh") -> None:
    """Raise InputError unless every edge is passed as often one way as the other.

    Exactly this makes the signed sum over a ray's hits a path length: with each entry comes an exit. Cost: one sort
    of 3 F numbers.
    """
    unbalanced = open_edges(faces)
    if len(unbalanced):
        raise InputError(
            f"{name}: the surface must be closed and wound consistently, {len(unbalanced)} edges have no partner in "
            "the opposite direction; load it with read_mesh, which repairs what it can."
        )


def open_edges(faces: Tensor) -> Tensor:
    """Directed edges (N, 2) that no face passes the other way, each as often as it lacks a partner."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).to(torch.int64)
    count = int(faces.max()) + 1
    low, high = edges.amin(dim=1), edges.amax(dim=1)
    forward = (edges[:, 0] < edges[:, 1]).to(torch.int64) * 2 - 1
    forward = torch.where(low == high, 0, forward)
    key, index = (low * count + high).unique(return_inverse=True)
    balance = torch.zeros(len(key), dtype=torch.int64, device=faces.device).index_add_(0, index, forward)
    key = key.repeat_interleave(balance.abs())
    backward = (balance < 0).repeat_interleave(balance.abs())[:, None]
    pairs = torch.stack([key // count, key % count], dim=1)
    return torch.where(backward, pairs.flip(1), pairs)


def signed_volume(vertices: Tensor, faces: Tensor) -> float:
    """Enclosed volume [mm^3], positive when faces are counter-clockwise from outside: sum of a . (b x c) / 6."""
    centred = vertices.to(torch.float64) - vertices.to(torch.float64).mean(dim=0)
    a, b, c = (centred[faces[:, n]] for n in range(3))
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def self_intersections(mesh: Mesh, *, pairs: int = 20_000_000) -> int | None:
    """How many pairs of triangles pierce each other, up to a bound on the work.

    What is checked: two triangles without a common vertex, where an edge of one passes properly through the inside
    of the other. Touching, coplanar overlap and the pairs that share a vertex are not seen. Candidates come from a
    grid of cells about as large as the triangles.

    Args:
        mesh: The mesh.
        pairs: Most candidate pairs to look at.

    Returns:
        The number of piercing pairs (counting stops at 100), or None if there were more candidates than `pairs`.

    Cost: about 0.1 microseconds per candidate; 20,000 triangles of a screw have about 10^6, and memory is some
    hundred bytes per triangle.
    """
    module = import_module("..kernels.numba_cpu.triangle_pairs", __package__)
    vertices = mesh.vertices.detach().to("cpu", torch.float64).contiguous().numpy()
    return module.count_piercing(vertices, mesh.faces.to("cpu").contiguous().numpy(), pairs)
