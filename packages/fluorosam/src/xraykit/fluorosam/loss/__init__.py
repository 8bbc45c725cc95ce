"""How far predicted masks are from the truth, and how far the network is from knowing it."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "best_mask": "best_mask_loss BestMasks chosen_masks",
        "mask_losses": "dice_loss focal_loss mask_iou quality_loss",
    },
)
