"""How much tissue lies in the beam of each patch of a view."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .footprint import seen, share_footprints
from .projection import detector_axes
from .support import Support
from .view_checks import check_in_front, check_options, checked_projections, least_depth


def patch_thickness(
    support: Support, projections: Float[Tensor, "views 3 4"], *, grid: int = 16
) -> Float[Tensor, "views {grid**2}"]:
    r"""The mean thickness of the support in the beam of each patch, measured along the view's axis.

        t_i = sum over the support's cells v of w(v) f_i(v) V / a(z_v),   a(z) = z^2 / (G^2 |A_x x A_y|)

    f_i(v) is the share of the cell's shadow that falls on patch i, as in mode "share" of `correspondences`, V the
    volume of a cell, a(z) the area of a patch's beam at depth z, and A_x, A_y the detector's axes, scaled so that x z =
    A_x . p + const. Shares are exact for cells that are small beside a patch.

    Args:
        support: The cells that count.
        projections: Image projections as `image_projection` makes them, (V, 3, 4).
        grid: Patches G along each side of an image, 1 to 128.

    Returns:
        (V, L) float32 [mm] on the support's device, patches row-major; 0 where a patch sees nothing. No gradients.

    Raises:
        InputError: A grid that is none.
        GeometryError: A projection that is none, or a cell at or behind a source.
    """
    check_options(grid, "share", ("share",), None)
    matrices = checked_projections(projections)
    volume = float(support.affine[:3, :3].det().abs())
    found = torch.zeros(len(matrices), (grid + 2) ** 2, dtype=torch.float64, device=support.device)
    for view, projection in enumerate(matrices):
        matrix = projection @ support.affine
        check_in_front(support, matrix, view)
        across = detector_axes(projection)
        halves = (grid * (across @ support.affine[:3, :3]).norm(dim=1)).tolist()
        rows, nearest = matrix.tolist(), least_depth(support, matrix)
        spread = share_footprints(support, rows, (halves[0], halves[1]), grid, nearest=nearest)
        share = 1.0 if spread.share is None else spread.share
        depth = seen(support.columns, rows)[2]
        wide = grid**2 * float(torch.linalg.cross(across[0], across[1]).norm())
        each = volume * wide / depth.square()  # a cell's volume over its beam's area
        if support.weights is not None:
            each = each * support.weights
        found[view].index_add_(0, spread.patch.flatten().long(), (share * each).flatten())
    return found.unflatten(1, (grid + 2, grid + 2))[:, 1:-1, 1:-1].flatten(1).float()
