"""What is rendered of a patient: tissue and bone apart, no finer than the image shows, in 16 bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, pad

from xraykit.render import InputError, Volume
from xraykit.render.materials import Attenuation

BONE_HU = 350.0
"""Where bone begins, as published."""
POINTS = 64


@dataclass(frozen=True, eq=False)
class RenderedPatient:
    """A patient, ready to be rendered many times with any contrast of bone.

    An image with bone multiplier m is L(tissue) + (m - 1) L(bone), for line integrals L are linear in attenuation.

    Args:
        grid: The CT's grid and centre, without its voxels: what frames of networks refer to.
        tissue: Attenuation as in the CT [1/mm].
        bone: What of it a multiplier acts on, mu_water HU / 1000 above 350 HU [1/mm].
        organs: Path of one per millimetre inside each label, labels counted 1, 2, ...; None without labels.
        points: Landmarks for target registration errors, (N, 3) float64 RAS [mm].
        name: The patient's.
        assumptions: What no field of its file stated.
        doubts: What is hardly true of its file, or was lost.
        left_out: (name, sentence) of each CT that could not be read, in whose place this one stands.
    """

    grid: Volume
    tissue: Volume
    bone: Volume
    organs: Volume | None
    points: Tensor
    name: str
    assumptions: Mapping[str, Any] = field(default_factory=dict)
    doubts: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def nbytes(self) -> int:
        """What its voxels take in memory."""
        parts = [part for v in self._volumes() if v is not None for part in (v.mu, v.labels) if part is not None]
        return sum(part.nbytes for part in parts)

    def to(self, device: torch.device | str) -> RenderedPatient:
        """The same patient with its voxels on another device."""
        tissue, bone, organs = (None if v is None else v.to(device) for v in self._volumes())
        return replace(self, tissue=tissue, bone=bone, organs=organs)

    def __reduce__(self) -> tuple[Any, ...]:
        """As plain tensors, so that worker processes can hand it over."""
        coarse = [None if v is None else (v.mu, v.affine, v.mu_scale, v.labels) for v in self._volumes()]
        return _rebuilt, (
            tuple(self.grid.shape),
            self.grid.affine,
            coarse,
            self.points,
            self.name,
            self.assumptions,
            self.doubts,
            self.left_out,
        )

    def _volumes(self) -> tuple[Volume | None, ...]:
        return self.tissue, self.bone, self.organs


def _rebuilt(shape: tuple[int, ...], affine: Tensor, coarse: list[Any], points: Tensor, *named: Any) -> RenderedPatient:
    tissue, bone, organs = (None if c is None else Volume(c[0], c[1], mu_scale=c[2], labels=c[3]) for c in coarse)
    return RenderedPatient(_without_voxels(shape, affine), tissue, bone, organs, points, *named)  # type: ignore[arg-type]


def _without_voxels(shape: tuple[int, ...], affine: Tensor) -> Volume:
    """A grid whose one voxel in memory stands for all."""
    return Volume(torch.zeros((), dtype=torch.float16).expand(shape), affine)


def prepare(volume: Volume, *, voxel: float, name: str = "patient") -> RenderedPatient:
    """A patient's CT made ready for training.

    Voxels are averaged over whole numbers of neighbours to at most `voxel` mm, after Hounsfield numbers became
    attenuation, so that thin bone keeps its part of the ray.

    Args:
        volume: The CT; bone is told by its Hounsfield numbers, and none is where there are not any.
        voxel: Coarsest voxel [mm].
        name: For messages and results.

    Raises:
        InputError: No voxel attenuates.
    """
    attenuation = volume.mu * volume.mu_scale if not volume.mu.is_floating_point() else volume.mu.float()
    attenuation = attenuation.clamp_min(0.0)
    if not bool(attenuation.any()):
        raise InputError(f"{name} must hold something to see, but no voxel attenuates; is it a CT in Hounsfield units?")
    hu = volume.hu
    excess = torch.zeros_like(attenuation)
    if hu is not None:
        excess = torch.where(hu > BONE_HU, Attenuation().mu_water / 1000 * hu.float(), excess)
    factor = [max(1, int(voxel / float(side) + 1e-6)) for side in volume.spacing]
    return RenderedPatient(
        grid=_without_voxels(volume.shape, volume.affine),
        tissue=_coarser(attenuation, volume.affine, factor),
        bone=_coarser(excess, volume.affine, factor),
        organs=None if volume.labels is None else _organs(volume, factor),
        points=_landmarks(attenuation, excess, volume),
        name=name,
        assumptions=volume.assumptions,
        doubts=volume.doubts,
    )


def _coarser(mu: Tensor, affine: Tensor, factor: list[int]) -> Volume:
    """mu averaged over factor = (i, j, k) voxels, filled up with air at the far ends."""
    kernel = factor[::-1]
    missing = [(-size) % step for size, step in zip(mu.shape, kernel, strict=True)]
    filled = pad(mu, (0, missing[2], 0, missing[1], 0, missing[0]))
    return Volume(avg_pool3d(filled[None], kernel)[0], _stretched(affine, factor)).stored_as(torch.int16)


def _organs(volume: Volume, factor: list[int]) -> Volume | None:
    """The label of the middle voxel of each block, renumbered without gaps; attenuation one where there is a label."""
    labels = volume.labels
    if labels is None or int(labels.max()) == 0:
        return None
    i, j, k = (step // 2 for step in factor)
    # Blocks at the far ends may have no middle voxel: they are left out, as the air is that fills them up.
    middle = labels[k :: factor[2], j :: factor[1], i :: factor[0]].long()
    present = torch.unique(middle[middle > 0])
    table = torch.zeros(int(middle.max()) + 1, dtype=torch.int16)
    table[present] = torch.arange(1, len(present) + 1, dtype=torch.int16)
    compact = table[middle]
    return Volume((compact > 0).to(torch.int16), _stretched(volume.affine, factor), labels=compact)


def _stretched(affine: Tensor, factor: list[int]) -> Tensor:
    steps = torch.tensor(factor, dtype=torch.float64)
    coarse = affine.clone()
    coarse[:3, :3] *= steps
    coarse[:3, 3] += affine[:3, :3] @ ((steps - 1) / 2)
    return coarse


def _landmarks(attenuation: Tensor, bone: Tensor, volume: Volume) -> Tensor:
    """Centres of voxels of bone (of anything, without bone), spread by a draw that is always the same."""
    chosen = (bone if bool(bone.any()) else attenuation).flatten().nonzero()[:, 0]
    chosen = chosen[torch.randperm(len(chosen), generator=torch.Generator().manual_seed(0))[:POINTS]]
    depth_height, i = chosen // volume.shape[2], chosen % volume.shape[2]
    index = torch.stack([i, depth_height % volume.shape[1], depth_height // volume.shape[1]], dim=1).double()
    return index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
