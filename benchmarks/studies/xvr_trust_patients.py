"""Whose X-rays and CTs the study of trust is made of: procedural patients, real CTs and warped ones.

And what is left of a CT that was cropped, taken in thick slices, masked, or scanned with another beam.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from xraykit.render import PatientSettings, Volume, generate_patient
from xraykit.xvr import structure_of
from xraykit.xvr.refine.window import trimmed

from ..common.xvr_scenes import chest_ct

FITTED_REGIONS = ("thorax", "lumbar_spine", "abdomen_pelvis", "hip", "skull", "knee")
UNSEEN_REGIONS = ("shoulder", "cervical_spine")  # of held-out patients alone
FITTED, HELD_OUT = (101, 102, 103, 104), (401, 402, 403)  # seeds
SIZE = 320  # voxels of a patient's longest edge, about
FINE = 320  # voxels of a real CT's longest edge, where its own are not larger
WARPS = 3  # bodies that are made of a real CT: as it is, and of other shapes
GRID = 1.3  # voxel of the CT along each axis, in voxels of the patient whose X-ray is taken


@dataclass(frozen=True)
class Who:
    """A patient: a region's seed, or a real CT and which warp of it.

    `held_out` ones are looked at when everything is settled on the others.
    """

    region: str
    seed: int
    held_out: bool
    file: Path | None = None

    @property
    def name(self) -> str:
        """What the tables call him."""
        return f"{self.region} {self.seed}"


def everybody(real: Mapping[str, tuple[Path, bool]]) -> list[Who]:
    """All patients, those of one region one after the other; real CTs by name, with whether they are held out."""
    found = [Who(region, seed, False) for region in FITTED_REGIONS for seed in FITTED]
    found += [Who(region, seed, True) for region in FITTED_REGIONS for seed in HELD_OUT]
    found += [Who(region, seed, True) for region in UNSEEN_REGIONS for seed in HELD_OUT[:2]]
    cts = {"chest CT": (chest_ct(), True), **real}
    return found + [Who(name, n, held, path) for name, (path, held) in cts.items() for n in range(WARPS)]


def strangers(who: Who, all_of_them: list[Who]) -> list[Who]:
    """Other patients whose CT shows the same region, of the same half of the study."""
    return [one for one in all_of_them if one.region == who.region and one != who and one.held_out == who.held_out]


def hounsfield(volume: Volume) -> Tensor:
    """What the study's volumes all have."""
    assert volume.hu is not None  # they come of Hounsfield numbers
    return volume.hu.float()


@lru_cache(maxsize=6)
def volume_of(who: Who) -> Volume:
    """The patient himself, with Hounsfield numbers."""
    if who.file is None:
        return generate_patient(seed=who.seed, region=who.region, settings=PatientSettings(size=SIZE)).volume
    labels = who.file.with_name("mask.nii.gz") if who.file == chest_ct() else None
    volume = Volume.from_file(who.file, labels=labels, label_names="totalsegmentator_v1" if labels else None)
    longest = max(n * s for n, s in zip(reversed(volume.shape), volume.spacing.tolist(), strict=True))
    coarse = _resampled(volume, torch.full((3,), longest / FINE))
    return coarse if who.seed == 0 else warped(coarse, np.random.default_rng([who.seed, 7]), scale=0.09, shift=8.0)


def warped(volume: Volume, rng: np.random.Generator, *, scale: float, shift: float) -> Volume:
    """A body of another shape: axes longer or shorter by up to `scale`, tissue moved smoothly by about `shift` [mm]."""
    factors = torch.tensor(1 + rng.uniform(-scale, scale, 3))
    affine = volume.affine.clone()
    affine[:3, :3] *= factors
    knots = torch.from_numpy(rng.normal(0, shift, (1, 3, 5, 5, 5))).float()
    moved = F.interpolate(knots, size=volume.shape, mode="trilinear", align_corners=True)[0]
    grid = torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, n) for n in volume.shape], indexing="ij"), dim=-1).flip(
        -1
    )
    extent = volume.spacing.float() * torch.tensor([n - 1.0 for n in reversed(volume.shape)])
    grid = (grid + 2 * moved.permute(1, 2, 3, 0) / extent)[None]
    hu = F.grid_sample(hounsfield(volume)[None, None], grid, padding_mode="border", align_corners=True)[0, 0]
    labels = volume.labels
    if labels is not None:
        near = F.grid_sample(
            labels.float()[None, None], grid, mode="nearest", padding_mode="border", align_corners=True
        )
        labels = near[0, 0].to(labels.dtype)
    return Volume.from_hu(hu, affine, labels=labels, label_names=volume.label_names)


def _resampled(volume: Volume, voxel: Tensor) -> Volume:
    """On voxels of about that size (3,) [mm], or of its own where those are larger, each the mean of what is in it."""
    hu, affine, labels = hounsfield(volume), volume.affine.clone(), volume.labels
    for axis in range(3):
        dim, spacing = 2 - axis, float(volume.spacing[axis])
        count = volume.shape[dim]
        fewer = max(8, round(count * spacing / max(float(voxel[axis]), spacing)))
        ratio = count / fewer
        edges = torch.arange(count + 1, dtype=torch.float64) - ratio * torch.arange(fewer, dtype=torch.float64)[:, None]
        hu = torch.movedim(torch.movedim(hu, dim, -1) @ edges.clamp(0, ratio).diff().T.float() / ratio, -1, dim)
        affine[:3, 3] += affine[:3, axis] * (ratio - 1) / 2
        affine[:3, axis] *= ratio
        if labels is not None:
            labels = labels.index_select(dim, (ratio * (torch.arange(fewer) + 0.5)).long())
    return Volume.from_hu(hu.contiguous(), affine, labels=labels, label_names=volume.label_names)


def _whole(volume: Volume, rng: np.random.Generator) -> Volume:
    return volume


def _cropped(volume: Volume, rng: np.random.Generator, axis: int, least: float) -> Volume:
    """A part of `least` to 0.8 along an axis (0 is k), somewhere about the middle."""
    length = volume.shape[axis]
    kept = round(rng.uniform(least, 0.8) * length)
    first = round(np.clip(rng.normal(0.5, 0.25), 0, 1) * (length - kept))
    part = tuple(slice(first, first + kept) if a == axis else slice(None) for a in range(3))
    affine = volume.affine.clone()
    affine[:3, 3] += affine[:3, 2 - axis] * first
    labels = None if volume.labels is None else volume.labels[part].contiguous()
    return Volume.from_hu(hounsfield(volume)[part].contiguous(), affine, labels=labels, label_names=volume.label_names)


def _short(volume: Volume, rng: np.random.Generator) -> Volume:
    return _cropped(volume, rng, 0, 0.45)


def _narrow(volume: Volume, rng: np.random.Generator) -> Volume:
    return _cropped(volume, rng, int(rng.integers(1, 3)), 0.55)


def _thick(volume: Volume, rng: np.random.Generator) -> Volume:
    """Slices of about 5 mm, each the mean of what lies in it."""
    block = max(2, round(5.0 / float(volume.spacing[2])))
    length = volume.shape[0] // block * block
    hu = hounsfield(volume)[:length].unflatten(0, (-1, block)).mean(1)
    affine = volume.affine.clone()
    affine[:3, 3] += affine[:3, 2] * (block - 1) / 2
    affine[:3, 2] *= block
    labels = None if volume.labels is None else volume.labels[block // 2 : length : block].contiguous()
    return Volume.from_hu(hu, affine, labels=labels, label_names=volume.label_names)


def _other_beam(volume: Volume, rng: np.random.Generator) -> Volume:
    """Bone denser or lighter than it is, and noise as of a fast scan."""
    factor, noise = rng.uniform(0.75, 1.3), rng.uniform(0, 60)
    hu = hounsfield(volume)
    hu = torch.where(hu > 0, hu * factor, hu)
    hu = hu + noise * torch.from_numpy(rng.normal(size=tuple(hu.shape))).float()
    return Volume.from_hu(hu, volume.affine, labels=volume.labels, label_names=volume.label_names)


def _masked(volume: Volume, rng: np.random.Generator) -> Volume:
    """Bones alone, everything else blank."""
    return trimmed(structure_of(volume, volume.find_labels("bones"))) if volume.labels is not None else volume


VARIANTS: Mapping[str, Callable[[Volume, np.random.Generator], Volume]] = {
    "whole": _whole, "cropped in z": _short, "cropped sideways": _narrow, "thick slices": _thick,
    "other density": _other_beam, "masked": _masked, "bones among the rest": _whole,
}  # fmt: skip
PARTIAL = ("cropped in z", "cropped sideways")


@lru_cache(maxsize=3)
def ct_of(who: Who, variant: str) -> Volume:
    """What a scanner makes of the patient: another grid, and then what the variant says."""
    volume, rng = volume_of(who), np.random.default_rng([who.seed, list(VARIANTS).index(variant)])
    return VARIANTS[variant](_resampled(volume, GRID * volume.spacing), rng)


def moved_tissue(volume: Volume, rng: np.random.Generator, shift: float) -> Volume:
    """The patient on another day: soft parts elsewhere by about `shift` [mm], bones with them."""
    return warped(volume, rng, scale=0.0, shift=shift)
