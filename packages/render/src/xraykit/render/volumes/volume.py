"""The patient as the renderer sees it: attenuation on a voxel grid, its place in the world, and named labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.arrays import tensor_of
from ..geometry.checks import are_independent
from ..materials.attenuation import WATER_AND_BONE, AttenuationLaw
from ..storage.provenance import Origin, assumptions, doubts
from .label_names import find_labels, label_table
from .voxel_memory import laid_out, spread_rows

Label = int


@dataclass(frozen=True, eq=False)
class Volume:
    """Linear attenuation on a voxel grid in patient RAS space.

    Tensors are indexed [k, j, i] (depth, height, width); `affine` maps the voxel index (i, j, k) of a voxel's
    *centre* to world millimetres, so it equals the NIfTI affine of the file. Build one with `Volume.from_file`,
    `Volume.from_hu`, or directly from `mu`.

    Args:
        mu: Linear attenuation [1/mm], (D, H, W), floating point; or int16 codes to be multiplied by `mu_scale`.
        affine: Voxel (i, j, k) to world RAS [mm], (4, 4); oblique, left-handed and sheared grids are all legal.
        hu: The Hounsfield numbers (or MR intensities) that `mu` was computed from, (D, H, W), if known.
        labels: One integer label per voxel, (D, H, W), from 0 (background) up.
        label_names: Name of each label value.
        mu_scale: Attenuation of one integer code [1/mm]; 1 for floating-point storage.
        provenance: Field name to `Origin`: what gave each fact of the file, what was assumed, what is doubtful.

    Raises:
        InputError: Shapes disagree, the affine is not finite and invertible, a voxel is not finite, or labels are
            no whole numbers from 0 up.
    """

    mu: Tensor
    affine: Tensor
    hu: Tensor | None = None
    labels: Tensor | None = None
    label_names: Mapping[Label, str] = field(default_factory=lambda: MappingProxyType({}))
    mu_scale: float = 1.0
    provenance: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("mu", "hu", "labels"):
            object.__setattr__(self, name, tensor_of(getattr(self, name)))
        affine = torch.as_tensor(self.affine, dtype=torch.float64, device="cpu")
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "label_names", MappingProxyType(dict(self.label_names)))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))
        check_grid(self.mu, affine)
        check_finite(self.mu, "mu")
        for name in ("hu", "labels"):
            tensor = getattr(self, name)
            if tensor is not None and tensor.shape != self.mu.shape:
                raise InputError(f"{name} must have the shape of mu {tuple(self.mu.shape)}, got {tuple(tensor.shape)}.")
        if self.labels is not None:
            _check_labels(self.labels)

    @classmethod
    def from_hu(
        cls,
        hu: Tensor,
        affine: Tensor,
        *,
        labels: Tensor | None = None,
        label_names: Mapping[Label, str] | str | None = None,
        attenuation: AttenuationLaw = WATER_AND_BONE,
        provenance: Mapping[str, Origin] | None = None,
    ) -> Volume:
        """The volume whose attenuation follows from Hounsfield numbers.

        Args:
            hu: CT numbers [HU] (or MR intensities, with `MRPassthrough()` as the law), (D, H, W), finite.
            affine: Voxel (i, j, k) to world RAS [mm], (4, 4).
            labels: One integer label per voxel, (D, H, W).
            label_names: The name of a table such as "totalsegmentator_v2", or {value: name}.
            attenuation: The law from HU to mu [1/mm]; see attenuation.py.
            provenance: What gave each fact; None is nothing.

        Raises:
            InputError: A voxel is NaN or infinite, or as for `Volume`.

        Gradients: mu keeps the graph of hu.
        """
        hu, labels = tensor_of(hu), tensor_of(labels)
        hu = hu if hu.is_floating_point() else hu.to(torch.float32)
        check_finite(hu, "hu")
        mu = spread_rows(attenuation(hu))
        if labels is not None and labels.shape == mu.shape:
            labels = laid_out(labels, mu.stride())
        names = label_table(label_names)
        return cls(mu, affine, hu=hu, labels=labels, label_names=names, provenance=provenance or {})

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        labels: str | Path | None = None,
        label_names: Mapping[Label, str] | str | None = None,
        attenuation: AttenuationLaw | None = None,
        modality: str | None = None,
        series: str | None = None,
        resample_slices: bool = False,
        voxel_spacing: Sequence[float] | None = None,
    ) -> Volume:
        """Read a CT or MR from NIfTI, NRRD, MHA/MHD, a DICOM folder or a TIFF stack.

        `files.volumes.read_volume` has the details.

        Args:
            path: The file or folder.
            labels: A label map on the same grid.
            label_names: A table's name, {value: name}, or None for the names in the label file itself.
            attenuation: The law from HU to mu; None takes `WATER_AND_BONE` for CT, `MRPassthrough()` for MR.
            modality: "CT" or "MR"; None takes DICOM's Modality tag, and CT for files that have none.
            series: Which volume, where a DICOM folder holds several: its number in the error's list, or its UID.
            resample_slices: Interpolate DICOM slices of uneven steps along the stack.
            voxel_spacing: Of a TIFF stack along columns, rows and pages [mm].

        Raises:
            FileError: The file or its label map is missing, damaged, inconsistent or on another grid.
        """
        from ..files.volumes import read_volume

        return read_volume(
            path,
            labels=labels,
            label_names=label_names,
            attenuation=attenuation,
            modality=modality,
            series=series,
            resample_slices=resample_slices,
            voxel_spacing=voxel_spacing,
        )

    def find_labels(self, wanted: str) -> tuple[Label, ...]:
        """The label values behind a name, a pattern or a group such as "ribs_left"; see label_names.py."""
        return find_labels(self.label_names, wanted)

    @property
    def assumptions(self) -> dict[str, Origin]:
        """What no field of the file stated and was taken for granted."""
        return assumptions(self.provenance)

    @property
    def doubts(self) -> dict[str, Origin]:
        """What is hardly true of the file, or lost of it: read these before trusting a picture."""
        return doubts(self.provenance)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels as (depth, height, width)."""
        depth, height, width = self.mu.shape
        return depth, height, width

    @property
    def device(self) -> torch.device:
        """Where the voxels live."""
        return self.mu.device

    @property
    def spacing(self) -> Tensor:
        """Distance between voxel centres along i, j, k [mm], (3,)."""
        return self.affine[:3, :3].norm(dim=0)

    @property
    def center(self) -> Tensor:
        """World position of the middle of the grid [mm, RAS], (3,) float64."""
        depth, height, width = self.shape
        middle = torch.tensor([width - 1, height - 1, depth - 1], dtype=torch.float64, device=self.affine.device) / 2
        return self.affine[:3, :3] @ middle + self.affine[:3, 3]

    @property
    def highest_label(self) -> int:
        """The largest value in the label map, 0 without one; looked up once, and again after a write in place."""
        labels = self.labels
        if labels is None:
            return 0
        version = None if labels.is_inference() else labels._version  # inference tensors count no writes
        known = self.__dict__.get("_highest_label")
        if known is None or known[0] is not labels or version is None or known[1] != version:
            known = (labels, version, int(labels.max()))
            object.__setattr__(self, "_highest_label", known)
        return known[2]

    def with_mu(self, mu: Tensor, *, mu_scale: float = 1.0) -> Volume:
        """The same grid with other attenuation, for instance a tensor that requires a gradient.

        Made for optimisation loops: the shape is checked, the voxels are not read.
        """
        if mu.shape != self.mu.shape:
            raise InputError(f"mu must have the shape of the grid {tuple(self.mu.shape)}, got {tuple(mu.shape)}.")
        return self._replaced(mu=mu, mu_scale=mu_scale)

    def to(self, device: torch.device | str) -> Volume:
        """The same volume on another device; the affine stays float64 on the CPU, where it is used."""
        moved = {name: None if t is None else t.to(device) for name, t in (("hu", self.hu), ("labels", self.labels))}
        return self._replaced(mu=self.mu.to(device), **moved)

    def stored_as(self, dtype: torch.dtype) -> Volume:
        """The same attenuation in another storage type; the error it costs is stated here.

        float16 and bfloat16 round each voxel to 11 and 8 significant bits. int16 divides [0, max mu] into 32767
        equal steps: each voxel is off by at most max(mu) / 65534 [1/mm]. Integer storage has no mu-gradient.

        Raises:
            InputError: Another storage type, or negative attenuation for int16.
        """
        if not (dtype.is_floating_point or dtype == torch.int16):
            raise InputError(f"storage must be floating point or int16, got {dtype}; it would lose the attenuation.")
        mu = self.mu * self.mu_scale if not self.mu.is_floating_point() else self.mu
        if dtype != torch.int16:
            return self._replaced(mu=spread_rows(mu.to(dtype)), mu_scale=1.0)
        if bool((mu < 0).any()):
            raise InputError("int16 storage needs mu >= 0, got negative attenuation; keep float32 for this volume.")
        peak = float(mu.max())
        scale = peak / 32767 if peak > 1e-30 else 1.0  # a smaller step is no float32 number
        return self._replaced(mu=spread_rows((mu / scale).round().to(torch.int16)), mu_scale=scale)

    def _replaced(self, **changes: object) -> Volume:
        """A copy with some fields changed, its voxels not checked a second time."""
        other = copy(self)
        for name, value in changes.items():
            object.__setattr__(other, name, value)
        return other


def check_grid(mu: Tensor, affine: Tensor) -> None:
    """Raise InputError unless mu is (D, H, W), finite, and affine a finite invertible 4x4 map."""
    if mu.ndim != 3 or 0 in mu.shape:
        raise InputError(f"mu must be (depth, height, width) with no empty axis, got shape {tuple(mu.shape)}.")
    if not (mu.is_floating_point() or mu.dtype == torch.int16):
        raise InputError(f"mu must be floating point or int16, got {mu.dtype}; convert it with .float().")
    if affine.shape != (4, 4) or not bool(torch.isfinite(affine).all()):
        raise InputError(f"affine must be a finite 4x4 matrix, got {affine.tolist()}.")
    if not bool((affine[3] == torch.tensor([0.0, 0.0, 0.0, 1.0], dtype=affine.dtype)).all()):
        raise InputError(f"the last row of affine must be 0 0 0 1, got {affine[3].tolist()}.")
    if not are_independent(affine[:3, :3].detach()):
        raise InputError(f"affine must be invertible, got {affine.tolist()}; two voxel axes coincide or one is zero.")


def check_finite(voxels: Tensor, name: str) -> None:
    """Raise InputError if a voxel is NaN or infinite."""
    if not voxels.is_floating_point():
        return
    # A sum is finite only if every term is, and needs no mask of the volume's size; where the quick one in the voxels'
    # own type overflows, the one in float64 decides.
    voxels = voxels.detach()
    if not any(bool(torch.isfinite(voxels.sum(dtype=dtype))) for dtype in (voxels.dtype, torch.float64)):
        bad = int((~torch.isfinite(voxels)).sum())
        raise InputError(f"{name} must be finite, {bad} voxels are NaN or infinite; fill them (air is -1000 HU).")


def _check_labels(labels: Tensor) -> None:
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError(f"labels must be whole numbers, got {labels.dtype}; convert them with .to(torch.uint8).")
    if labels.dtype != torch.uint8 and int(labels.min()) < 0:
        raise InputError(f"labels must be 0 or more, got {int(labels.min())}.")
