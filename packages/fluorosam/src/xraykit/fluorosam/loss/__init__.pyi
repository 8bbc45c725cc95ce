# Made by tools/make_stubs.py from the table in __init__.py.
from .best_mask import (
    BestMasks as BestMasks,
    best_mask_loss as best_mask_loss,
    chosen_masks as chosen_masks,
)
from .contrast import supervised_contrast as supervised_contrast
from .dense_loss import (
    ClassLoss as ClassLoss,
    class_loss as class_loss,
)
from .mask_losses import (
    dice_loss as dice_loss,
    focal_loss as focal_loss,
    mask_iou as mask_iou,
    quality_loss as quality_loss,
)
from .presence import presence_loss as presence_loss
