# Made by tools/make_stubs.py from the table in __init__.py.
from .metal_probe import (
    MetalRow as MetalRow,
    metal_rows as metal_rows,
    predicted_masks as predicted_masks,
)
from .overlap import dice as dice
from .pixel_head import PixelHead as PixelHead
from .settings import (
    HeadTraining as HeadTraining,
    MaskLoss as MaskLoss,
)
from .train_head import (
    mask_loss as mask_loss,
    train_pixel_head as train_pixel_head,
)
