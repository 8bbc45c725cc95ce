"""X-rays in, matches out: the network's matrices, points asked for, and the best pairs of patches."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "matches": "Matches PatchMatch",
        "matcher": "Matcher",
        "point_heat": "Place PointHeat",
        "view_letters": "view_letter view_number",
    },
)
