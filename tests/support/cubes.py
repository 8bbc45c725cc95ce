"""A uniform block of voxels and a cubic mesh: a scene whose X-ray follows from lengths alone."""

from __future__ import annotations

import torch
import trimesh
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose
from xraykit.render.meshes.mesh import Mesh
from xraykit.render.physics.area_density import MaterialVolume
from xraykit.render.simulation.scene import Body

CAMERA = Camera(sdd=1000.0, height=9, width=11, pixel_spacing=4.0, principal_point=(5.5, 4.5))
POSE = carm_pose(lao_rao=0.0, sod=800.0, isocenter=torch.zeros(3, dtype=torch.float64))


def block(*, hu: float = 40.0, voxels: int = 20, edge: float = 4.0, storage: torch.dtype = torch.float64) -> Body:
    """A cube of `voxels` a side about the origin with one Hounsfield number, labelled "liver"."""
    affine = torch.diag(torch.tensor([edge, edge, edge, 1.0], dtype=torch.float64))
    affine[:3, 3] = -edge * (voxels - 1) / 2
    shape = (voxels,) * 3
    labels = torch.full(shape, 5, dtype=torch.uint8)
    numbers = torch.full(shape, hu, dtype=torch.float64)
    volume = Volume.from_hu(numbers, affine, labels=labels, label_names={5: "liver"})
    return Body.from_volume(volume, storage=storage)


def wavy(*, voxels: int = 12, edge: float = 5.0, hu: float = 40.0) -> Body:
    """A cube whose density varies smoothly, in float64, for gradients."""
    body = block(hu=hu, voxels=voxels, edge=edge)
    at = torch.linspace(0.3, 2.9, voxels, dtype=torch.float64)
    wave = 1 + 0.3 * torch.sin(at)[:, None, None] * torch.cos(1.3 * at)[:, None] * torch.sin(0.7 + at)
    stack = body.materials
    dense = MaterialVolume(stack.densities * wave[..., None], stack.materials, stack.affine, stack.scales)
    return Body(body.volume, dense)


def cube(edge: float = 10.0, *, material: str = "titanium", name: str = "cube") -> Mesh:
    """A cube about its own origin, float64."""
    solid = trimesh.creation.box((edge, edge, edge))
    vertices = torch.tensor(solid.vertices, dtype=torch.float64)
    return Mesh(vertices, torch.tensor(solid.faces), name=name, material=material)


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Tensor:
    """A translation (4, 4)."""
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, 3] = torch.tensor([x, y, z], dtype=torch.float64)
    return pose
