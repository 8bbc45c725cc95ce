"""Substances, what they attenuate, and the tables behind them."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "attenuation": "Attenuation DiffDRRDensity MRPassthrough",
        "materials": "find_material Material MATERIALS",
    },
)
