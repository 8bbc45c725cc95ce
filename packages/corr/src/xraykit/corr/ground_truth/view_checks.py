"""What a request for correspondence must fulfil: options, projections, pairs, and cells that views can see."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import GeometryError, InputError

from .footprint import CELLS_AT_ONCE, Footprints, seen
from .support import Support

MOST_PATCHES = 128


def check_options(grid: int, mode: str, modes: Sequence[str], chunk: int | None) -> None:
    """Raise InputError unless grid, mode and chunk are legal."""
    if isinstance(grid, bool) or not isinstance(grid, int) or not 1 <= grid <= MOST_PATCHES:
        raise InputError(f"grid must be a whole number of patches per side from 1 to {MOST_PATCHES}, got {grid!r}.")
    if mode not in modes:
        raise InputError(f"mode must be one of {', '.join(modes)}, got {mode!r}.")
    if chunk is not None and (isinstance(chunk, bool) or not isinstance(chunk, int) or chunk < 1):
        raise InputError(f"chunk must be a positive whole number of cells, got {chunk!r}.")


def checked_projections(projections: Tensor) -> Float[Tensor, "views 3 4"]:
    """The projections as float64 on the CPU, once they are known to be some.

    Raises:
        GeometryError: Another shape, a number that is not finite, or a matrix that is no image projection.
    """
    if projections.ndim != 3 or projections.shape[1:] != (3, 4):
        raise GeometryError(f"projections must be (V, 3, 4), got shape {tuple(projections.shape)}.")
    matrices = projections.detach().to("cpu", torch.float64)
    if not bool(torch.isfinite(matrices).all()):
        raise GeometryError("projections must be finite, got NaN or infinity.")
    length = matrices[:, 2, :3].norm(dim=1)
    if not bool(((length - 1).abs() < 1e-3).all()):
        raise GeometryError(
            f"the third row of a projection must be a unit beam axis, got lengths {length.tolist()}; "
            "make projections with image_projection."
        )
    if not bool((torch.linalg.det(matrices[:, :, :3]).abs() > 0).all()):
        raise GeometryError("a projection must be invertible in its first three columns, got one that is not.")
    return matrices


def checked_pairs(pairs: Sequence[tuple[int, int]] | None, views: int) -> list[tuple[int, int]]:
    """The pairs themselves, or all a < b.

    Raises:
        InputError: Fewer than two views, or a number that is none of a view.
    """
    if pairs is None:
        if views < 2:
            raise InputError(f"correspondence needs at least two views, got {views}.")
        return list(combinations(range(views), 2))
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(view, int) and 0 <= view < views for view in pair):
            raise InputError(f"a pair must be two numbers of views from 0 to {views - 1}, got {pair!r}.")
    return [(a, b) for a, b in pairs]


def corner_depth(support: Support, matrix: Float[Tensor, "3 4"]) -> float:
    """Depth [mm] of the nearest corner of the box around all cells: no cell lies nearer."""
    return float((support.bounds @ matrix[2, :3] + matrix[2, 3]).min())


def least_depth(support: Support, matrix: Float[Tensor, "3 4"]) -> float:
    """A bound [mm] below the depth of every cell; where it is not positive, it is the depth of the nearest cell."""
    bound = corner_depth(support, matrix)
    if bound > 0:
        return bound
    rows = matrix.tolist()
    return min(float(seen(part, rows)[2].min()) for part in support.columns.split(CELLS_AT_ONCE, dim=1))


def check_in_front(support: Support, matrix: Float[Tensor, "3 4"], view: int) -> None:
    """Raise GeometryError if a cell lies at the source or behind it."""
    depth = least_depth(support, matrix)
    if depth <= 0:
        raise GeometryError(
            f"the support must lie in front of the source, but a cell is {-depth:.1f} mm behind that of view {view}; "
            "check the pose, or move the source away."
        )


def check_fields(
    result: Float[Tensor, "pairs patches patches"],
    pairs: Sequence[tuple[int, int]],
    footprints: dict[int, Footprints],
    grid: int,
) -> None:
    """Raise GeometryError if no cell lies in the field of a view.

    A pair with an entry has cells in both fields; so only the views of the others are looked at.
    """
    empty = (result.flatten(1).amax(dim=1) == 0).tolist()
    for view in sorted({view for pair, none in zip(pairs, empty, strict=True) if none for view in pair}):
        if not footprints[view].in_field(grid):
            raise GeometryError(
                f"view {view} misses the volume: none of {footprints[view].patch.shape[1]} cells lies in its field; "
                "check pose and isocenter."
            )
