"""What a student is taught: the DINO loss with its centre, and what DINOv2 adds."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "center": "Center",
        "dino": "dino_loss view_statistics",
        "koleo": "koleo_loss",
        "mask_sampler": "block_masks",
        "masked_patches": "masked_patch_loss",
        "sinkhorn_knopp": "sinkhorn",
    },
)
