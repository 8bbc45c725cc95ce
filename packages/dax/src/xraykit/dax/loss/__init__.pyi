# Made by tools/make_stubs.py from the table in __init__.py.
from .center import Center as Center
from .dino import (
    dino_loss as dino_loss,
    view_statistics as view_statistics,
)
from .koleo import koleo_loss as koleo_loss
from .mask_sampler import block_masks as block_masks
from .masked_patches import masked_patch_loss as masked_patch_loss
from .sinkhorn_knopp import sinkhorn as sinkhorn
