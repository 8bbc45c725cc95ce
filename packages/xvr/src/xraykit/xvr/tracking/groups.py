"""What is followed: an implant by its outline, or a CT's structures together by their DRRs, with one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.meshes import thickness

from ..implants.implant import Implant
from ..implants.registration import register_implants
from ..implants.settings import ImplantSettings
from ..refine.climb_settings import RegistrationSettings
from ..refine.registration import register_structures
from ..refine.structure import NamedStructures
from ..refine.surroundings import first_structures
from ..result.display import Mask, numbers, render_structures, thin_edges
from ..start.spread import spread_starts
from ..trust.judge_registration import judge
from ..xray.shot import Shot

REACH = 50.0  # of a structure, when a turn is told as a way [mm]


@dataclass(frozen=True, eq=False)
class GroupFit:
    """Where K bodies were found in V views of one moment.

    Args:
        poses: Camera to body, (K, V, 4, 4) float64.
        score: How well they fit, -1 to 1: correlation along what is seen of the outline, or similarity of the DRRs.
        chance: Of success, where it is judged.
    """

    poses: Tensor
    score: float
    chance: float | None = None


class BodyGroup(Protocol):
    """K bodies that are found together, and so lost together."""

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        ...

    @property
    def pivots(self) -> Tensor:
        """The middle of each in its own frame, (K, 3) [mm]."""
        ...

    @property
    def radii(self) -> tuple[float, ...]:
        """The lever of a turn of each [mm]."""
        ...

    def begin(self, shots: tuple[Shot, ...], starts: Tensor | None, cameras: Tensor | None) -> GroupFit:
        """Find them in the first frame, from starts (S, K, V, 4, 4) or anywhere; InputError where they are not."""
        ...

    def near(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Find them close to the starts (S, K, V, 4, 4); None where nothing fits."""
        ...

    def wide(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Find them around the starts."""
        ...

    def masks(self, shot: Shot, poses: Tensor) -> Mapping[str, Mask]:
        """What to draw of them on an X-ray, at poses (K, 4, 4)."""
        ...


@dataclass(frozen=True, eq=False)
class ImplantGroup:
    """One implant."""

    implant: Implant
    settings: ImplantSettings = field(default_factory=ImplantSettings)

    @property
    def names(self) -> tuple[str, ...]:
        """Its name."""
        return (self.implant.name,)

    @property
    def pivots(self) -> Tensor:
        """Its middle, (1, 3) [mm]."""
        return self.implant.pivot[None]

    @property
    def radii(self) -> tuple[float, ...]:
        """Its farthest vertex from there [mm]."""
        return (self.implant.radius,)

    def begin(self, shots: tuple[Shot, ...], starts: Tensor | None, cameras: Tensor | None) -> GroupFit:
        """Search anywhere without starts; else near them and around."""
        if starts is None:
            return self._fit(shots, None, self.settings, cameras)
        return self._fit(shots, starts, replace(self.settings, lookalikes=False), cameras)

    def near(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Climb from the starts alone; how good a fit must be is left to who knows what is usual for this implant."""
        return self._tried(shots, starts, replace(self.settings, spread=False, lookalikes=False, least=0.0))

    def wide(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Climb from what fits around the starts as well."""
        return self._tried(shots, starts, replace(self.settings, spread=True, lookalikes=False))

    def masks(self, shot: Shot, poses: Tensor) -> Mapping[str, Mask]:
        """Its silhouette."""
        return {self.implant.name: (thickness([self.implant.mesh], shot.camera, poses)[0, 0] > 0).numpy()}

    def _tried(self, shots: tuple[Shot, ...], starts: Tensor, settings: ImplantSettings) -> GroupFit | None:
        try:
            return self._fit(shots, starts, settings, None)
        except InputError:  # out of view, or no place where the outline fits
            return None

    def _fit(
        self, shots: tuple[Shot, ...], starts: Tensor | None, settings: ImplantSettings, cameras: Tensor | None
    ) -> GroupFit:
        found = register_implants(shots, self.implant, starts, settings, cameras=cameras)
        return GroupFit(found.poses, float(found.fit[0]))


@dataclass(frozen=True, eq=False)
class StructureGroup:
    """Structures of a CT, compared with the X-rays as the sum of their DRRs, each with its pose."""

    structures: NamedStructures
    settings: RegistrationSettings = field(default_factory=RegistrationSettings)

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return self.structures.names

    @property
    def pivots(self) -> Tensor:
        """Their centres of mass, (K, 3) in the world of the CT [mm]."""
        return torch.stack([body.pivot for body in self.structures.bodies]).double()

    @property
    def radii(self) -> tuple[float, ...]:
        """The lever of a turn [mm]."""
        return (REACH,) * len(self.names)

    def begin(self, shots: tuple[Shot, ...], starts: Tensor | None, cameras: Tensor | None) -> GroupFit:
        """Refine the starts."""
        if starts is None:
            raise InputError("a CT's structures need starts in the first frame, got none; starts_from_... make them.")
        return self._fit(shots, starts, self.settings)

    def near(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Refine the starts at the finer scales."""
        return self._fit(shots, starts, self.settings.fine())

    def wide(self, shots: tuple[Shot, ...], starts: Tensor) -> GroupFit | None:
        """Refine the starts and their neighbours at all scales."""
        around = [spread_starts(starts[:, k], pivot) for k, pivot in enumerate(self.pivots)]
        return self._fit(shots, torch.stack(around, dim=1), self.settings)

    def masks(self, shot: Shot, poses: Tensor) -> Mapping[str, Mask]:
        """Edges of their DRRs."""
        drrs = render_structures(self.structures.bodies, shot, poses)
        return {name: thin_edges(numbers(drr)) for name, drr in zip(self.names, drrs, strict=True)}

    def _fit(self, shots: tuple[Shot, ...], starts: Tensor, settings: RegistrationSettings) -> GroupFit:
        """What lies around the structures, if that is known, starts where the first of them does."""
        bodies, count = self.structures.rendered, len(self.names)
        given = torch.cat([starts, *[starts[:, :1]] * (len(bodies) - count)], dim=1)
        found = register_structures(shots, bodies, given, settings)
        trust = judge(found, shots, bodies, judged=count)
        poses = first_structures(found, count).poses
        return GroupFit(poses, found.similarity, trust.success_probability)
