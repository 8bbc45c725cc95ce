"""The page of `xraykit corr app`: see where a point may lie in other views, and mark pairs of points."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "marked_pair": "MarkedPair",
        "opening": "open_pair_page",
        "pair_session": "PairSession",
        "server": "PairServer",
        "settings": "PairAppSettings",
    },
)
