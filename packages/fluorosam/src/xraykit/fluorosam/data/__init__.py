"""X-rays for the network: three windows, one square, and the way back."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "network_input": "BoneTone NetworkInput prepare_windows",
        "padded_square": "PaddedSquare",
        "windows": "three_windows two_means",
    },
)
