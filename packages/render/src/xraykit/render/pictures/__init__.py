"""Grey images, overlays and figures for people to look at."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "edge_letters": "directions_at_edges EdgeLetters",
        "grey_and_overlay": "colours INK legend montage overlay PAPER save_png to_grey wrap",
        "labelled": "beside_legend labelled_picture",
        "plot": "explain_geometry plot_xray",
    },
)
