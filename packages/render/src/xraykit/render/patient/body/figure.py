"""A body being painted: the grid, where its bones are, and what build and findings do to each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..canvas import Array, Canvas, Chart, Frame, Region
from .frames import Matrix, MovedFrame
from .physique import Physique
from .skeleton import Skeleton
from .trunk_shape import levels

Draw = Callable[[Chart], tuple[Region, Array]]
UPPER_NECK = {
    "vertebrae_C2": (0.0, -25.0, 581.0),
    "vertebrae_C1": (0.0, -21.0, 599.0),
    "vertebrae_S1": (0.0, -30.0, -14.0),
}
Graded = float | Callable[[Region], Array]


class Flesh(NamedTuple):
    """Muscle of a part of the body and the fat on it."""

    region: Region
    distance: Array
    """To the muscle's surface in world mm, right out to the skin at least."""
    fat: float | Array
    """Thickness of the subcutaneous fat [mm]."""


@dataclass(frozen=True, eq=False)
class Fracture:
    """A break through a bone.

    Args:
        surface: Signed distance to the break in the bone's local frame [mm]; negative on the side that stays.
        motion: How the other fragment has moved, in the local frame, a rigid (4, 4); None where it has been removed.
    """

    surface: Callable[[Region], Array]
    motion: Matrix | None


@dataclass(frozen=True, eq=False)
class Figure:
    """What every painting function of a part takes.

    Args:
        canvas: The grid.
        skeleton: Frames of every part, build and posture.
        ids: Label value of each name.
        fractures: Breaks by bone ("femur_right", "ulna_left").
        deformed: Affine motion of whole bones within their frames ("vertebrae_L1" crushed to 0.7 of its height).
        osteophytes: Degree of wear at joints, 0 none to 1 severe.
        contrast: HU that contrast agent adds to vessels filled with it; 0 without.
    """

    canvas: Canvas
    skeleton: Skeleton
    ids: Mapping[str, int]
    fractures: Mapping[str, Fracture] = field(default_factory=lambda: MappingProxyType({}))
    deformed: Mapping[str, Matrix] = field(default_factory=lambda: MappingProxyType({}))
    osteophytes: float = 0.0
    contrast: float = 0.0

    @property
    def physique(self) -> Physique:
        """The build."""
        return self.skeleton.physique

    def frame(self, name: str) -> Frame:
        """The frame of a bone or part: its own, a vertebra's rigid one, or else the trunk's."""
        if name.startswith("vertebrae_"):
            level = levels().get(name.removeprefix("vertebrae_"))
            return self.skeleton.trunk.rigid_at(level.center if level else UPPER_NECK[name])
        return self.skeleton.frames.get(name, self.skeleton.trunk)

    def chart(self, name: str) -> Chart:
        """The canvas in the coordinates of a part."""
        return Chart(self.canvas, self.frame(name))

    def rng(self, seed: int, name: str) -> np.random.Generator:
        """Random numbers for one part, the same whatever else is painted."""
        return np.random.default_rng([seed, *name.encode()])

    def paint_bone(
        self,
        label: str,
        draw: Draw,
        *,
        frame: str | None = None,
        cortex: Graded = 1.5,
        shell: float = 900.0,
        core: Graded = 220.0,
    ) -> None:
        """Paint a bone, in fragments if it is broken, its cortex and spongy core as the build has them.

        Args:
            label: The bone's name, which is also its label's.
            draw: Makes region and distance field on the canvas that it is given, in the bone's frame.
            frame: Name of that frame, if not the bone's.
            cortex: Thickness of compact bone [local mm], a number or a function of the region.
            shell: HU of compact bone.
            core: HU of spongy bone at normal density, likewise; marrow alone is about -20 HU.
        """
        for chart in self._fragments(label, frame or label):
            region, distance = draw(chart)
            thick = (cortex(region) if callable(cortex) else cortex) * self.physique.cortex
            inside = core(region) if callable(core) else core
            spongy = -20 + (inside + 20) * self.physique.bone_density
            hard = shell * (0.5 + 0.5 * min(self.physique.bone_density, 1.2))
            chart.paint_bone(region, distance, self.ids[label], cortex=thick, shell=hard, core=spongy)

    def landmark(self, frame: str, local: tuple[float, float, float]) -> NDArray[np.float64]:
        """World position [mm] of a point of a part."""
        return self.frame(frame).to_world(np.asarray(local, dtype=np.float64))

    def _fragments(self, bone: str, frame: str) -> list[Chart]:
        whole = self.frame(frame)
        if bone in self.deformed:
            whole = MovedFrame(whole, self.deformed[bone])
        broken = self.fractures.get(bone)
        if broken is None:
            return [Chart(self.canvas, whole)]
        stays = Chart(self.canvas, whole, clip=broken.surface)
        if broken.motion is None:
            return [stays]
        moved = MovedFrame(whole, broken.motion)
        return [stays, Chart(self.canvas, moved, clip=lambda region: -broken.surface(region))]
