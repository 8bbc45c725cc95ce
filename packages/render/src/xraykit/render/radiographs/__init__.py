"""Pictures that came from an X-ray machine."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "describe": "describe_radiograph",
        "radiograph": "Origin Radiograph",
        "read": "read_radiograph",
        "save": "check_writable save_image",
    },
)
