"""Losses."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(__name__, {"contrast": "supervised_contrast"})
