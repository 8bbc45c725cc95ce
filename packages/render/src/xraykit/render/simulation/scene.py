"""What stands in the beam: bodies made of voxels, tools made of triangles, and named points."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.rigid import check_pose
from ..materials.materials import Material, find_material
from ..meshes.mesh import Mesh
from ..meshes.plausible_size import implausible_size
from ..physics.area_density import MaterialVolume
from ..physics.tissue import TissueLaw
from ..volumes.volume import Volume

Scale = float | Tensor


@dataclass(frozen=True, eq=False)
class Body:
    """A patient, specimen or phantom: voxels with labels, and the mass of each material in them.

    Args:
        volume: Where it is, and its labels.
        materials: What it is made of, on the same grid; see `Body.from_volume`.
        name: What to call it.
        density_scale: Factor on the density of a material wherever it occurs, {material name: number or tensor ()};
            0.7 for "cortical_bone" is an osteoporotic patient. A tensor makes it differentiable.

    Raises:
        InputError: The grids differ, a name is no material of the body, or a factor is negative or not finite.
    """

    volume: Volume
    materials: MaterialVolume
    name: str = "patient"
    density_scale: Mapping[str, Scale] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "density_scale", MappingProxyType(dict(self.density_scale)))
        if self.materials.densities.shape[:3] != self.volume.mu.shape:
            raise InputError(
                f"body {self.name!r} must have materials on the grid of its volume {tuple(self.volume.mu.shape)}, got "
                f"{tuple(self.materials.densities.shape[:3])}."
            )
        known = [material.name for material in self.materials.materials]
        for material, scale in self.density_scale.items():
            if material not in known:
                raise InputError(
                    f"density_scale of {self.name!r} must name one of {', '.join(known)}, got {material!r}."
                )
            value = float(torch.as_tensor(scale).detach())
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"density_scale of {material} must be 0 or more and finite, got {value}.")

    @classmethod
    def from_volume(
        cls,
        volume: Volume,
        *,
        name: str = "patient",
        law: TissueLaw | None = None,
        label_materials: Mapping[int | str, str | Material] | None = None,
        density_scale: Mapping[str, Scale] | None = None,
        storage: torch.dtype = torch.int16,
        basis: Sequence[str | Material] | None = None,
    ) -> Body:
        """The body that a CT shows; its Hounsfield numbers are split into materials once, here.

        Args:
            volume: A CT with Hounsfield numbers.
            name: What to call it.
            law: What a Hounsfield number is made of; None is `TissueLaw()`.
            label_materials: The material of some labels, {label, name or group: material}.
            density_scale: See `Body`.
            storage: Of the densities; see `MaterialVolume.from_volume`.
            basis: Likewise; `density_scale` then scales the materials of the basis.

        Raises:
            InputError: As `MaterialVolume.from_volume` and `Body`.
        """
        options = {"law": law or TissueLaw(), "labels": label_materials, "storage": storage, "basis": basis}
        materials = MaterialVolume.from_volume(volume, **options)
        return cls(volume, materials, name, {} if density_scale is None else density_scale)

    def scales(self) -> Tensor:
        """The factor on each of `materials.materials`, (M,), keeping the graph of tensors."""
        parts = [torch.as_tensor(self.density_scale.get(m.name, 1.0)) for m in self.materials.materials]
        return torch.stack([part.to(self.volume.device, torch.float64) for part in parts])

    def to(self, device: torch.device | str) -> Body:
        """The same body on another device."""
        return replace(self, volume=self.volume.to(device), materials=self.materials.to(device))


class _Given:
    """A field that may be given as a name, as a `Material` or as None, and is read as a `Material`."""

    def __get__(self, tool: PlacedTool | None, owner: type) -> Material:
        return cast(Material, None if tool is None else vars(tool)["material"])  # the class shows the default, None

    def __set__(self, tool: PlacedTool, value: str | Material | None) -> None:
        vars(tool)["material"] = value


@dataclass(frozen=True, eq=False)
class PlacedTool:
    """A tool or implant: a mesh, where it is, and what it is made of.

    Args:
        mesh: Closed mesh in a frame of its own [mm].
        pose: Mesh to world RAS [mm], (4, 4), or (B, 4, 4) for another place in each view; rigid.
        name: What to call it; "" takes the mesh's name.
        material: By name or as `Material`; None takes the mesh's. Reading it gives the `Material`.
        density: [g/cm3], positive; None takes the material's. A tensor () makes it differentiable.
        displaces: The tool takes the place of the tissue. Otherwise its mass comes on top of it.

    Raises:
        InputError: The material is unknown, or the density is not positive.
        GeometryError: The pose is no rigid motion.

    Warns:
        UserWarning: The mesh's size suggests another unit than mm (looked at on the CPU).
    """

    mesh: Mesh
    pose: Tensor = field(default_factory=lambda: torch.eye(4, dtype=torch.float64))
    name: str = ""
    material: _Given = _Given()
    density: Scale | None = None
    displaces: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.mesh.name)
        if self.pose.ndim not in (2, 3) or self.pose.shape[-2:] != (4, 4):
            raise GeometryError(f"pose of {self.name} must be (4, 4) or (B, 4, 4), got {tuple(self.pose.shape)}.")
        if self.pose.device.type == "cpu":
            check_pose(self.pose.detach().reshape(-1, 4, 4), name=f"pose of {self.name}")
        given = vars(self)["material"]
        object.__setattr__(self, "material", find_material(self.mesh.material if given is None else given))
        doubt = implausible_size(self.mesh.size.detach()) if self.mesh.vertices.device.type == "cpu" else None
        if doubt and doubt not in self.mesh.doubts:
            warnings.warn(f"{self.name}: meshes are in mm, {doubt}.", stacklevel=3)
        if self.density is not None:
            value = float(torch.as_tensor(self.density).detach())
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"density of {self.name} must be positive and finite in g/cm3, got {value}.")

    @property
    def mass_density(self) -> Scale:
        """Its density [g/cm3]."""
        return self.material.density if self.density is None else self.density

    def to(self, device: torch.device | str) -> PlacedTool:
        """The same tool with its mesh on another device."""
        return replace(self, mesh=self.mesh.to(device))


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything in the beam.

    Bodies that overlap add up, voxel by voxel: cut one out where another shall replace it. Tools displace the tissue
    of all bodies (`PlacedTool.displaces`); where tools overlap each other their masses add up.

    Args:
        bodies: Patients and phantoms.
        tools: Meshes with their poses; names must differ.
        landmarks: {name: (x, y, z) world RAS [mm]}, projected along.

    Raises:
        InputError: Nothing in the beam, or two bodies or tools of one name.
    """

    bodies: tuple[Body, ...] = ()
    tools: tuple[PlacedTool, ...] = ()
    landmarks: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "bodies", tuple(self.bodies))
        object.__setattr__(self, "tools", tuple(self.tools))
        points = {name: torch.as_tensor(point, dtype=torch.float64) for name, point in self.landmarks.items()}
        object.__setattr__(self, "landmarks", MappingProxyType(points))
        if not self.bodies and not self.tools:
            raise InputError("a scene needs at least one body or tool, got none.")
        for kind, members in (("bodies", self.bodies), ("tools", self.tools)):
            names = [member.name for member in members]
            doubled = sorted({name for name in names if names.count(name) > 1})
            if doubled:
                raise InputError(f"{kind} must have names of their own, got {doubled[0]!r} twice; set name=.")

    @property
    def device(self) -> torch.device:
        """Where the scene lives."""
        return self.bodies[0].volume.device if self.bodies else self.tools[0].mesh.vertices.device

    def to(self, device: torch.device | str) -> Scene:
        """The same scene on another device."""
        bodies, tools = (tuple(member.to(device) for member in group) for group in (self.bodies, self.tools))
        return replace(self, bodies=bodies, tools=tools)


def tool_pose(
    position: Tensor | tuple[float, float, float] | list[float],
    *,
    direction: Tensor | tuple[float, float, float] | list[float] = (0.0, 0.0, 1.0),
    turn: float = 0.0,
) -> Tensor:
    """The pose that puts a mesh's origin at `position` and its z axis along `direction`, (4, 4) float64.

    The smallest rotation that takes z to the direction (about z x direction; half a turn about x where the direction
    is -z), after a turn about the mesh's own z.

    Args:
        position: World RAS [mm].
        direction: In world axes, any length but zero.
        turn: About the mesh's z axis [degrees], right-handed.

    Raises:
        InputError: Numbers that are not finite, or a direction of length zero.
    """
    place, axis = (torch.as_tensor(value, dtype=torch.float64) for value in (position, direction))
    finite = bool(torch.isfinite(torch.cat([place.reshape(-1), axis.reshape(-1)])).all()) and math.isfinite(turn)
    if place.shape != (3,) or axis.shape != (3,) or not finite or float(axis.norm()) == 0:
        raise InputError(
            f"position and direction must be three finite numbers, direction not zero, got {place.tolist()} and "
            f"{axis.tolist()}."
        )
    x, y, z = (axis / axis.norm()).tolist()
    rise = 1 + z if z > -0.9 else (x * x + y * y) / (1 - z)  # the same number, without the cancellation near -z
    if rise > 1e-24:
        cross = torch.tensor([[0.0, 0.0, x], [0.0, 0.0, y], [-x, -y, 0.0]], dtype=torch.float64)
        swing = torch.eye(3, dtype=torch.float64) + cross + cross @ cross / rise
    else:
        swing = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    twist = torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3], pose[:3, 3] = swing @ twist, place
    return pose
