"""A rigid structure made ready for registration: trimmed, its pivot known, its coarser copies made once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.geometry import full_precision

from .pyramid import blocks_within, shrunk_volume
from .window import trimmed


@dataclass(frozen=True, eq=False)
class Structure:
    """A rigid structure; make one per CT and register all its X-rays with it.

    Args:
        volume: Attenuation, zero outside the structure; trimmed.
        pivot: The attenuation's centre of mass, world RAS [mm] (3,), about which the pose turns.
    """

    volume: Volume
    pivot: Tensor
    _coarse: dict[tuple[int, int, int], Volume] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, volume: Volume) -> Structure:
        """The structure that a volume holds.

        Raises:
            InputError: Nothing in it attenuates.
        """
        if not bool((volume.mu != 0).any()):
            raise InputError(
                "a structure must attenuate somewhere, got a volume of zeros; check the CT and its labels."
            )
        body = trimmed(volume)
        return cls(body, centre_of_mass(body))

    def with_voxels(self, voxel: float) -> Volume:
        """The volume in 16-bit storage with voxels of at most `voxel` [mm] (or its own, where those are larger)."""
        blocks = blocks_within(self.volume, voxel)
        if blocks not in self._coarse:
            self._coarse[blocks] = shrunk_volume(self.volume, blocks)
        return self._coarse[blocks]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the X-ray shows besides chosen structures.

    Args:
        whole: The CT with everything in it.
        rest: The CT without what is attenuated by the structures.
    """

    whole: Structure
    rest: Structure


@dataclass(frozen=True, eq=False)
class NamedStructures:
    """The rigid structures of one patient, each with a pose of its own.

    Args:
        by_name: One or more, in the order of the result.
        isocenter: What the C-arm turns about, world RAS [mm], (3,); None is the pivot of the first.
        surroundings: What lies around them, see `structures_among`; None compares the X-ray with the structures alone.

    Raises:
        InputError: No structure.
    """

    by_name: Mapping[str, Structure]
    isocenter: Tensor | None = None
    surroundings: Surroundings | None = None

    def __post_init__(self) -> None:
        if not self.by_name:
            raise InputError("there must be one structure or more to register, got none; None is the whole CT.")

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self.by_name)

    @property
    def bodies(self) -> tuple[Structure, ...]:
        """The structures."""
        return tuple(self.by_name.values())

    @property
    def rendered(self) -> tuple[Structure, ...]:
        """The structures, and last what lies around them, if that is known."""
        return self.bodies if self.surroundings is None else (*self.bodies, self.surroundings.rest)

    @property
    def turning_point(self) -> Tensor:
        """What the C-arm turns about, world RAS [mm], (3,)."""
        return self.bodies[0].pivot if self.isocenter is None else self.isocenter


@full_precision
def structure_of(volume: Volume, labels: list[int] | tuple[int, ...]) -> Volume:
    """The part of a volume that carries one of the labels: attenuation elsewhere is zero.

    Raises:
        InputError: No label map, or none of the labels occurs.
    """
    if volume.labels is None:
        raise InputError("structures are chosen by label, got a volume without a label map; read it with labels=.")
    inside = torch.isin(volume.labels, torch.tensor(list(labels), dtype=volume.labels.dtype))
    if not bool(inside.any()):
        raise InputError(f"labels must occur in the volume, got {list(labels)}; see `volume.label_names`.")
    return Volume(
        torch.where(inside, volume.mu, torch.zeros((), dtype=volume.mu.dtype)), volume.affine, mu_scale=volume.mu_scale
    )


def centre_of_mass(volume: Volume) -> Tensor:
    """The attenuation's centre in the world [mm], (3,); the grid's centre where there is none."""
    mu = volume.mu if volume.mu.is_floating_point() else volume.mu.float()
    plane, columns = mu.sum(0).clamp_min(0).double(), mu.sum((1, 2)).clamp_min(0).double()
    total = plane.sum()
    if not bool(total > 0):
        return volume.center
    sums = (plane.sum(0), plane.sum(1), columns)  # along i, j, k
    index = torch.stack([(s * torch.arange(len(s), dtype=torch.float64)).sum() / s.sum() for s in sums])
    return volume.affine[:3, :3] @ index + volume.affine[:3, 3]
