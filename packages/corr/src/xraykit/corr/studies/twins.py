"""Twins: the same person with and without a fracture, whose correspondences should not tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xraykit.render import XraykitError
from xraykit.render.patient import FindingSettings, PatientSettings, generate_patient

from ..ground_truth.pair_matrices import correspondence
from ..ground_truth.support_cells import volume_support

VOXELS, CELLS = 64, 48


@dataclass(frozen=True)
class TwinDifference:
    """How far apart the correspondences of twins are.

    Args:
        twins: How many were compared.
        mean: Mean |C_broken - C_whole| over all entries and twins.
        largest: The largest such difference of one entry.
        scale: Mean |C_a - C_b| of two different persons' correspondences in the same views, to hold it against.
        changed: Share of the entries of either twin that are above 0 and differ by more than 0.05.
    """

    twins: int
    mean: float
    largest: float
    scale: float
    changed: float


def twin_check(
    descriptions: Sequence[Mapping[str, Any]], projections: Sequence[Tensor], *, grid: int = 16
) -> TwinDifference | None:
    """Make twins of patients anew, small, and compare the correspondences of their first two views.

    Args:
        descriptions: Of patients, with seed and region.
        projections: Image projections of each one's views, (V, 3, 4).
        grid: Patches a side.

    Returns:
        None without twins that could be compared.
    """
    pairs: list[tuple[Tensor, Tensor]] = []
    for description, views in zip(descriptions, projections, strict=True):
        both = [_matrix(description, views, fracture, grid) for fracture in (0.0, 1.0)]
        if both[0] is not None and both[1] is not None:
            pairs.append((both[0], both[1]))
    if not pairs:
        return None
    apart = torch.stack([(broken - whole).abs() for whole, broken in pairs])
    counted = torch.stack([(whole > 0) | (broken > 0) for whole, broken in pairs])
    others = [float((pairs[n][0] - pairs[n - 1][0]).abs().mean()) for n in range(len(pairs))]
    scale = sum(others) / len(others) if len(pairs) > 1 else float("nan")
    changed = float(((apart > 0.05) & counted).sum() / counted.sum().clamp_min(1))
    return TwinDifference(len(pairs), float(apart.mean()), float(apart.max()), scale, changed)


def _matrix(description: Mapping[str, Any], views: Tensor, fracture: float, grid: int) -> Tensor | None:
    findings = FindingSettings(fracture=fracture, crushed_vertebra=0, scoliosis=0, osteophytes=0, contrast=0, implant=0)
    settings = PatientSettings(size=VOXELS, findings=findings)
    try:
        patient = generate_patient(seed=int(description["seed"]), region=str(description["region"]), settings=settings)
        support = volume_support(patient.volume, cells=CELLS)
        return correspondence(support, views[0], views[1], grid=grid)
    except XraykitError:
        return None
