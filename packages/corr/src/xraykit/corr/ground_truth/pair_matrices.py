"""Correspondence matrices of any number of views of one support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from .footprint import Footprints, hard_footprints, share_footprints
from .joseph_footprint import joseph_footprints
from .projection import detector_axes
from .scatter_max import largest_product, summed_volume
from .support import Support
from .view_checks import (
    check_fields,
    check_in_front,
    check_options,
    checked_pairs,
    checked_projections,
    corner_depth,
    least_depth,
)

Mode = Literal["share", "hard", "volume", "joseph16", "paper"]
"""How a cell is spread over patches, and how cells are joined; `correspondences` says which is which."""


def correspondence(
    support: Support,
    first: Float[Tensor, "3 4"],
    second: Float[Tensor, "3 4"],
    *,
    grid: int = 16,
    mode: Mode = "share",
    chunk: int | None = None,
) -> Float[Tensor, "{grid**2} {grid**2}"]:
    """The correspondence matrix C of two views, (L, L) float32 in [0, 1] with L = grid^2; see `correspondences`."""
    return correspondences(support, torch.stack([first, second]), grid=grid, mode=mode, chunk=chunk)[0]


def correspondences(
    support: Support,
    projections: Float[Tensor, "views 3 4"],
    *,
    grid: int = 16,
    mode: Mode = "share",
    pairs: Sequence[tuple[int, int]] | None = None,
    chunk: int | None = None,
) -> Float[Tensor, "pairs {grid**2} {grid**2}"]:
    r"""The correspondence matrices of pairs of views: which patch sees tissue that another patch sees.

        C_ij = max over the support's cells v of w(v) f1_i(v) f2_j(v)

    f_i(v) is the footprint of the cell in patch i, w its weight (1 without). Rows are patches of the first view and
    columns those of the second, row-major. Of each view the footprints are computed once. C says where beams meet in
    tissue: it follows from poses and the shape of the tissue, and names no structure.

    Args:
        support: The cells that count, for instance of `volume_support`; for mode "paper" that of `paper_support`.
        projections: Image projections as `image_projection` makes them, (V, 3, 4).
        grid: Patches G along each side of an image, 1 to 128.
        mode: "share": f is the share of the cell's shadow that falls on the patch, a product of two tents.
            "hard": f is 1 in the patch of the cell's centre, so that C is 0 or 1.
            "volume": how much of the support both beams share, by the most that any two beams of these views share of
            the support's whole grid: sum_v w f1_i f2_j over the support by max_kl sum_v f1_k f2_l over the grid, with f
            as in "share".
            "joseph16": f is the weight of Joseph's projector for the ray through the patch's centre, without the
            length per slice; meant for about as many cells as patches along a side.
            "paper": the same with the length, each cell's footprint scaled to 0..1 over all rays of the view. (RTK,
            which the authors use, weighs the first and the last slice of a ray otherwise: cells two layers within the
            grid and deeper are equal.)
        pairs: Numbers (a, b) of views, any order; None takes all a < b in the order of `itertools.combinations`.
        chunk: Cells that a pair handles at once; never changes a bit of the result.

    Returns:
        (P, L, L) float32 on the support's device. No gradients.

    Raises:
        InputError: A mode, grid, chunk or pair that is none.
        GeometryError: A projection that is none, a cell of the support at or behind a source, or a view in whose field
            no cell lies.

    Source: Self-Supervised Multiview Xray Matching (MICCAI 2025), section 2; modes are described in docs/corr.md.
    """
    check_options(grid, mode, get_args(Mode), chunk)
    matrices = checked_projections(projections)
    chosen = checked_pairs(pairs, len(matrices))
    views = sorted({view for pair in chosen for view in pair})
    for view in views:
        check_in_front(support, matrices[view] @ support.affine, view)
    spread = support.whole_grid() if mode == "volume" else support
    footprints = _footprints(support, spread, [matrices[view] for view in views], grid, mode)
    found = dict(zip(views, footprints, strict=True))
    result = torch.zeros(len(chosen), grid**2, grid**2, device=support.device)
    join = summed_volume if mode == "volume" else largest_product
    for number, (a, b) in enumerate(chosen):
        result[number] = join(found[a], found[b], spread.weights, grid, chunk=chunk)
    check_fields(result, chosen, found, grid)
    return result


def _footprints(
    support: Support, spread: Support, projections: list[Tensor], grid: int, mode: Mode
) -> list[Footprints]:
    """Of the cells of `spread`, which are those of the support or of its whole grid, in each view."""
    rows = [(projection @ support.affine).tolist() for projection in projections]
    if mode == "hard":
        return hard_footprints(spread, rows, grid)
    if mode in ("joseph16", "paper"):
        paper = mode == "paper"
        return [joseph_footprints(spread, each, grid, chord=paper, stretch=paper) for each in rows]
    found = []
    for each, projection in zip(rows, projections, strict=True):
        wide, high = (grid * (detector_axes(projection) @ support.affine[:3, :3]).norm(dim=1)).tolist()
        # Cells of the grid around the support may lie anywhere; in front of half its depth their shadows hold nothing.
        matrix = projection @ support.affine
        nearest = max(corner_depth(spread, matrix), least_depth(support, matrix) / 2)
        found.append(share_footprints(spread, each, (wide, high), grid, nearest=nearest))
    return found
