"""Which pixels show metal, told from the feature maps of a frozen backbone."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "overlap": "dice",
        "metal_probe": "MetalRow metal_rows predicted_masks",
        "pixel_head": "PixelHead",
        "settings": "HeadTraining MaskLoss",
        "train_head": "mask_loss train_pixel_head",
    },
)
