"""One image from volume, camera and pose, on any backend; masks and derivatives with it."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "backends": "explain_backend",
        "devices": "usable_device",
        "jacobian": "ImageJacobian render_jacobian",
        "masks": "MaskSet path_lengths scene_masks",
        "options": "Backend Method",
        "rendering": "label_bits label_masks render",
    },
)
