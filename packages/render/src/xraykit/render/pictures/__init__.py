"""Grey images, overlays and figures for people to look at."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "grey_and_overlay": "montage overlay save_png to_grey",
        "plot": "explain_geometry plot_xray",
    },
)
