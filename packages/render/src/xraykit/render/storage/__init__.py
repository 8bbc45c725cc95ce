"""Bytes on disk, with no idea what is in them."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "atomic_write": "check_result_folder write_atomically",
    },
)
