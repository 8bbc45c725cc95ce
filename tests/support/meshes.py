"""Meshes and their exact chords."""

from __future__ import annotations

import numpy as np
import torch
import trimesh
from torch import Tensor
from xraykit.render import Camera, Mesh
from xraykit.render.meshes.instrument_parts import tube_mesh, turned
from xraykit.render.volumes.phantom import segments


def icosphere(radius: float, *, subdivisions: int = 2, dtype: torch.dtype = torch.float64) -> Mesh:
    """A triangulated sphere whose vertices lie on the sphere."""
    return from_trimesh(trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius), dtype)


def cuboid(size: tuple[float, float, float], *, dtype: torch.dtype = torch.float64) -> Mesh:
    """A box about the origin."""
    return from_trimesh(trimesh.creation.box(extents=size), dtype)


def prism(radius: float, length: float, *, sides: int) -> Mesh:
    """A cylinder about the z axis, its side replaced by `sides` planes whose edges lie on it."""
    vertices, faces = tube_mesh(turned([(-length / 2, radius), (length / 2, radius)], sides))
    return Mesh(torch.from_numpy(vertices), torch.from_numpy(faces))


def from_trimesh(mesh: trimesh.Trimesh, dtype: torch.dtype = torch.float64) -> Mesh:
    return Mesh(torch.tensor(np.array(mesh.vertices), dtype=dtype), torch.tensor(np.array(mesh.faces)))


def joined(*meshes: Mesh) -> Mesh:
    """Several shells in one mesh."""
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + int(n) for mesh, n in zip(meshes, offsets, strict=False)]
    return Mesh(torch.cat([mesh.vertices for mesh in meshes]), torch.cat(faces))


def convex_chord(mesh: Mesh, motion: Tensor, camera: Camera, pose: Tensor) -> Tensor:
    """Exact length of each ray inside a convex polyhedron: the part of it in the half-spaces of all faces.

    Shares nothing with the code that it judges: no edges, no rasterisation. (B, H, W) float64.
    """
    vertices = mesh.vertices.double() @ motion[:3, :3].mT + motion[:3, 3]
    a, b, c = (vertices[mesh.faces[:, n]] for n in range(3))
    normal = torch.linalg.cross(b - a, c - a)
    start, end = segments(camera, pose)
    direction = end - start
    toward = direction @ normal.mT
    distance = ((a * normal).sum(-1) - start @ normal.mT).expand_as(toward)
    alpha = distance / torch.where(toward == 0, 1.0, toward)
    enter = torch.where(toward < 0, alpha, 0.0).amax(dim=-1).clamp(min=0)
    leave = torch.where(toward > 0, alpha, 1.0).amin(dim=-1).clamp(max=1)
    outside = ((toward == 0) & (distance < 0)).any(dim=-1)
    chord = torch.where(outside, 0.0, (leave - enter).clamp(min=0)) * direction.norm(dim=-1)
    return chord.unflatten(1, (camera.height, camera.width))
