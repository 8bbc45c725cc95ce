"""The template frame: how a patient's CT lies in the world that many CTs were aligned to."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "alignment": "align_to_template Alignment",
        "check_picture": "alignment_picture",
        "settings": "AlignmentSettings",
        "warp": "read_warp rigid_part write_warp",
    },
)
