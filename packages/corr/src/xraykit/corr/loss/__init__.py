"""Losses of predicted correspondence."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(__name__, {"correspondence_loss": "balancing_weight match_loss MatchLossKind"})
