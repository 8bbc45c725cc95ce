"""A solid of one material as the closed triangle mesh around it."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from .checks import check_closed, signed_volume


@dataclass(frozen=True, eq=False)
class Mesh:
    """A solid bounded by triangles, in a frame of its own [mm].

    The surface is closed: every edge is passed as often one way as the other. Faces are counter-clockwise seen from
    outside the material; an inner shell (a bore, a cavity) is part of the same mesh and faces into the cavity. Several
    shells may touch, but where they overlap the material counts twice.

    Args:
        vertices: (V, 3) [mm], float32 or float64, finite.
        faces: (F, 3), whole numbers from 0 to V - 1.
        name: What to call it.
        material: Name of its material.
        description: A sentence on what it is, for text prompts and reports.
        repairs: What a reader had to mend, one phrase each.
        doubts: What a reader was not sure of, one phrase each.

    Raises:
        InputError: Empty, a vertex that is not finite, a face that names no vertex, an open or inconsistently wound
            surface, or one that encloses no positive volume (inside out).
    """

    vertices: Tensor
    faces: Tensor
    name: str = "mesh"
    material: str = "titanium"
    description: str = ""
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        vertices, faces = torch.as_tensor(self.vertices), torch.as_tensor(self.faces)
        vertices = vertices if vertices.is_floating_point() else vertices.to(torch.float32)
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces.to(torch.int64))
        self._check()

    def _check(self) -> None:
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3 or self.vertices.dtype.itemsize < 4:
            raise InputError(
                f"{self.name}: vertices must be (V, 3) float32 or float64, got {self.vertices.dtype} of shape "
                f"{tuple(self.vertices.shape)}."
            )
        if self.faces.ndim != 2 or self.faces.shape[1] != 3 or len(self.faces) == 0:
            raise InputError(f"{self.name}: faces must be (F, 3) with F >= 1, got shape {tuple(self.faces.shape)}.")
        if int(self.faces.min()) < 0 or int(self.faces.max()) >= len(self.vertices):
            raise InputError(
                f"{self.name}: faces must name vertices 0 to {len(self.vertices) - 1}, got "
                f"{int(self.faces.min())} to {int(self.faces.max())}."
            )
        if not bool(torch.isfinite(self.vertices).all()):
            bad = int((~torch.isfinite(self.vertices)).any(dim=1).sum())
            raise InputError(f"{self.name}: vertices must be finite, {bad} hold NaN or infinity; repair the file.")
        check_closed(self.faces, name=self.name)
        volume = signed_volume(self.vertices.detach(), self.faces)
        if volume <= 0:
            raise InputError(
                f"{self.name}: the surface must enclose a positive volume, got {volume:.6g} mm^3; "
                "reverse the order of the vertices of each face if it is inside out."
            )

    @property
    def bounds(self) -> Tensor:
        """Lowest and highest corner of the bounding box [mm], (2, 3)."""
        return torch.stack([self.vertices.amin(dim=0), self.vertices.amax(dim=0)])

    @property
    def size(self) -> Tensor:
        """Edges of the bounding box [mm], (3,)."""
        return self.vertices.amax(dim=0) - self.vertices.amin(dim=0)

    @property
    def volume(self) -> float:
        """Volume of the material [mm^3]."""
        return signed_volume(self.vertices.detach(), self.faces)

    def to(self, device: torch.device | str) -> Mesh:
        """The same mesh on another device."""
        return self._replaced(vertices=self.vertices.to(device), faces=self.faces.to(device))

    def with_vertices(self, vertices: Tensor) -> Mesh:
        """The same surface with other vertices, perhaps ones that require a gradient; only the shape is checked."""
        if vertices.shape != self.vertices.shape:
            raise InputError(f"vertices must keep the shape {tuple(self.vertices.shape)}, got {tuple(vertices.shape)}.")
        return self._replaced(vertices=vertices)

    def with_doubts(self, *doubts: str) -> Mesh:
        """The same mesh with more doubts."""
        return self._replaced(doubts=(*self.doubts, *doubts))

    def _replaced(self, **changes: object) -> Mesh:
        other = copy(self)
        for name, value in changes.items():
            object.__setattr__(other, name, value)
        return other
