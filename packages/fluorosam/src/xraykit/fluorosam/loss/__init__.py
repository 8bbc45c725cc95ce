"""How far predicted masks are from the truth and the network from knowing it; and which texts belong together."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "best_mask": "best_mask_loss BestMasks chosen_masks",
        "dense_loss": "class_loss ClassLoss",
        "contrast": "supervised_contrast",
        "presence": "presence_loss",
        "mask_losses": "dice_loss focal_loss mask_iou quality_loss",
    },
)
