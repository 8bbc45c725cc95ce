"""The live viewer: a local web page with the C-arm, the patient's surface and the X-ray that follows the sliders."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "server": "start_viewer",
        "state": "ViewerState",
    },
)
