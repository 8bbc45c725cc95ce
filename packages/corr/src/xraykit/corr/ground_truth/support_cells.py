"""Supports from a volume's Hounsfield numbers or labels, and from a stored grid of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Integer
from torch import Tensor

from xraykit.render import InputError, Volume

from .area_average import area_average, cell_grid
from .support import Support

TISSUE_HU = -300.0
"""HU above which a cell is tissue"""
BONE_HU = 150.0
"""HU above which it is bone"""
AIR_HU = -1024.0
MOST_CELLS = 512
CLASSES = {"tissue": 1, "bone": 2}  # the least class that counts


def volume_support(
    volume: Volume, *, tissue: Literal["tissue", "bone"] | str | float | Sequence[str] = "tissue", cells: int = 64
) -> Support:
    """The cells of a volume that hold tissue.

    Cells are cubes along the volume's own axes (rhomboids where these are sheared) that cover all of it. A cell counts
    where its mean Hounsfield number is above the threshold, with numbers below -1024 taken as -1024 and air outside the
    volume; for labels, where they fill at least half of it.

    Args:
        volume: With Hounsfield numbers, or with labels where labels are asked for.
        tissue: "tissue" is above -300 HU and "bone" above 150 HU; a number is a threshold [HU]; a sequence holds names,
            patterns or groups of labels as in `Volume.find_labels`.
        cells: Along the longest side; four per patch are a good number.

    Returns:
        On the volume's device.

    Raises:
        InputError: The volume has no Hounsfield numbers or no such labels, no cell is above the threshold, or `cells`
            is no whole number from 1 to 512.
    """
    if isinstance(cells, bool) or not isinstance(cells, int) or not 1 <= cells <= MOST_CELLS:
        raise InputError(f"cells must be a whole number from 1 to {MOST_CELLS}, got {cells!r}.")
    depth, height, width = volume.shape
    grid = cell_grid((width, height, depth), volume.affine, cells)
    threshold = _threshold(tissue)
    if threshold is None:
        counts = area_average(_label_slices(volume, tissue), (width, height, depth), grid.edges, volume.device) >= 0.5
        reason = f"no cell of {grid.shape} is half filled by {', '.join(tissue)}; raise `cells` above {cells}."  # type: ignore[arg-type]
    else:
        if volume.hu is None:
            raise InputError("a support by threshold needs Hounsfield numbers, the volume has none; use from_hu.")
        mean = area_average(_hu_slices(volume.hu), (width, height, depth), grid.edges, volume.device) + AIR_HU
        counts = mean > threshold
        reason = (
            f"no tissue above {threshold:g} HU: the highest mean of a cell is {float(mean.max()):.0f} HU; "
            "lower the threshold, or check that this is a CT."
        )
    return _support(counts, grid.affine, reason)


def grid_support(
    classes: Integer[Tensor, "nk nj ni"], affine: Tensor, *, tissue: Literal["tissue", "bone"] = "tissue"
) -> Support:
    """The support in a stored grid of classes, where 0 is air, 1 soft tissue and 2 bone.

    Args:
        classes: (K, J, I), indexed as a volume is.
        affine: Index (i, j, k) to world RAS [mm], (4, 4).
        tissue: "tissue" takes both classes, "bone" the second.

    Raises:
        InputError: Another tissue or shape, or no such cell.
    """
    if tissue not in CLASSES:
        raise InputError(f"tissue must be 'tissue' or 'bone' for a grid of classes, got {tissue!r}.")
    if classes.ndim != 3:
        raise InputError(f"classes must be (K, J, I), got shape {tuple(classes.shape)}.")
    return _support(
        classes >= CLASSES[tissue], affine, f"the grid of classes holds no {tissue}; check how it was made."
    )


def _support(counts: Tensor, affine: Tensor, reason: str) -> Support:
    cells = counts.nonzero().flip(1)
    if not len(cells):
        raise InputError(reason)
    nk, nj, ni = counts.shape
    return Support(cells, affine, (ni, nj, nk))


def _threshold(tissue: str | float | Sequence[str]) -> float | None:
    """In HU; None where labels are meant."""
    named = {"tissue": TISSUE_HU, "bone": BONE_HU}
    if isinstance(tissue, str):
        if tissue not in named:
            raise InputError(
                f"tissue must be 'tissue', 'bone', a number of HU or a sequence of label names, got {tissue!r}; "
                f"write [{tissue!r}] for a label."
            )
        return named[tissue]
    if isinstance(tissue, int | float) and not isinstance(tissue, bool):
        if not abs(tissue) < float("inf"):
            raise InputError(f"the threshold must be finite, got {tissue} HU.")
        return float(tissue)
    if isinstance(tissue, Sequence) and tissue and all(isinstance(name, str) for name in tissue):
        return None
    raise InputError(f"tissue must be 'tissue', 'bone', a number of HU or a sequence of label names, got {tissue!r}.")


def _hu_slices(hu: Tensor):
    return lambda first, last: hu[first:last].detach().to(torch.float32).clamp(min=AIR_HU) - AIR_HU


def _label_slices(volume: Volume, names):
    if volume.labels is None:
        raise InputError(f"a support of {', '.join(names)} needs a label map, the volume has none.")
    labels = volume.labels
    wanted = sorted({value for name in names for value in volume.find_labels(name)})
    values = torch.tensor(wanted, dtype=labels.dtype, device=labels.device)
    return lambda first, last: torch.isin(labels[first:last], values).to(torch.float32)
