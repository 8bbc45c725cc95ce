"""The page of `xraykit fluorosam app`: say or click what to find in X-rays, correct it, and keep it as annotations."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "collimation": "CollimationBox collimation_box",
        "opening": "open_mask_page",
        "mask_session": "MaskSession",
        "server": "MaskServer",
        "settings": "MaskAppSettings",
    },
)
