"""An implant or tool to be found: its mesh, what it is made of, and what registration needs of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError, Mesh
from xraykit.render.materials import Material, find_material

ENERGY = 60.0
"""Effective photon energy at which the material's attenuation is taken [keV]."""


@dataclass(frozen=True, eq=False)
class Implant:
    """A rigid body with a pose of its own, in front of all X-rays of one moment.

    Args:
        mesh: Its closed surface, in a frame of its own [mm].
        material: What it is made of, a name in `xraykit.render.materials.MATERIALS` or a `Material`; None is the
            mesh's.

    Raises:
        InputError: No material has this name.
    """

    mesh: Mesh
    material: Material | str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "material", find_material(self.material or self.mesh.material))

    @property
    def name(self) -> str:
        """What to call it."""
        return self.mesh.name

    @property
    def pivot(self) -> Float[Tensor, 3]:
        """The middle of its bounding box [mm], about which its motions turn, float64."""
        return self.mesh.bounds.double().mean(0)

    @property
    def radius(self) -> float:
        """The farthest vertex from the pivot [mm]."""
        return float((self.mesh.vertices.double() - self.pivot).norm(dim=1).max())

    def shadow(self, thickness: Tensor) -> Tensor:
        """The share of the beam that path lengths T [mm] take out of it, 1 - exp(-mu T): saturated in thick metal."""
        if not isinstance(self.material, Material):
            raise InputError(f"material must be known by now, got {self.material!r}.")
        return 1 - (-float(self.material.linear_attenuation(ENERGY)) * thickness).exp()

    def with_detail(self, cell: float) -> Implant:
        """The implant with vertices less than about `cell` [mm] apart united: enough where a pixel sees more.

        Its surface is closed and wound alike: every edge is passed as often in one direction as in the other. It has
        moved by less than the diagonal of a cell. It need be no two-manifold: where coarse cells press thin walls
        together, an edge belongs to four triangles or more. Path lengths and outlines ask for no more.
        """
        return Implant(united(self.mesh, cell), self.material)


def united(mesh: Mesh, cell: float) -> Mesh:
    """The mesh with all vertices in one cell of a grid moved to their mean, and triangles without area dropped.

    Every closed surface stays closed: moving vertices onto each other takes each edge to an edge or a point. The mesh
    itself is returned where that would leave no volume.
    """
    key = torch.floor(mesh.vertices.double() / cell).to(torch.int64)
    _, number = key.unique(dim=0, return_inverse=True)
    count = int(number.max()) + 1
    if count > 0.9 * len(mesh.vertices):
        return mesh
    total = torch.zeros(count, 3, dtype=torch.float64).index_add_(0, number, mesh.vertices.double())
    members = torch.zeros(count, dtype=torch.float64).index_add_(0, number, torch.ones(len(number)).double())
    faces = number[mesh.faces]
    apart = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    try:
        vertices = (total / members[:, None]).to(mesh.vertices)
        return Mesh(vertices, faces[apart], name=mesh.name, material=mesh.material, doubts=mesh.doubts)
    except InputError:
        return mesh


def mesh_doubts(implants: Sequence[Implant]) -> tuple[str, ...]:
    """What is not sure of the meshes, one sentence each."""
    return tuple(f"{implant.name}, {doubt}" for implant in implants for doubt in implant.mesh.doubts)


def mended(implants: Sequence[Implant]) -> tuple[str, ...]:
    """What was mended of the meshes when they were read, one sentence each."""
    return tuple(f"{implant.name}, mended: {repair}" for implant in implants for repair in implant.mesh.repairs)
