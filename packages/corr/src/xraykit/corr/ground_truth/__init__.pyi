# Made by tools/make_stubs.py from the table in __init__.py.
from .authors_support import paper_support as paper_support
from .beam_thickness import patch_thickness as patch_thickness
from .packed import (
    pack_matrix as pack_matrix,
    unpack_matrix as unpack_matrix,
)
from .pair_matrices import (
    Mode as Mode,
    correspondence as correspondence,
    correspondences as correspondences,
)
from .permutation import (
    turn_change as turn_change,
    turn_patches as turn_patches,
)
from .projection import (
    change_projection as change_projection,
    image_projection as image_projection,
)
from .support import Support as Support
from .support_cells import (
    BONE_HU as BONE_HU,
    TISSUE_HU as TISSUE_HU,
    grid_support as grid_support,
    volume_support as volume_support,
)
