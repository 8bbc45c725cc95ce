"""What a registration leaves behind: a record, transforms, pictures."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "animation": "convergence_frames write_animation",
        "folder": "save_result",
        "pictures": "registration_pictures write_pictures",
        "reading": "read_result",
        "record": "record_result ResultRecord write_result",
        "transforms": "ct_motion write_transforms",
    },
)
