"""Which patches of two X-rays see the same tissue, from an unannotated CT: supports, projections, matrices."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "beam_thickness": "patch_thickness",
        "packed": "pack_matrix unpack_matrix",
        "pair_matrices": "Mode correspondence correspondences",
        "authors_support": "paper_support",
        "permutation": "turn_change turn_patches",
        "projection": "change_projection image_projection",
        "support": "Support",
        "support_cells": "BONE_HU TISSUE_HU grid_support volume_support",
    },
)
