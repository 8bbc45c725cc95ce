"""Pictures of matches, and the step from files to a folder of them."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "attention_picture": "AttentionLook draw_attention",
        "heat_picture": "QueryPoint draw_heat",
        "match_picture": "draw_matches",
        "matched_files": "AskedXrays MatchedXrays ask_xrays match_xrays",
        "settings": "MatchFilesSettings UsedMatcherSettings QueryFilesSettings",
    },
)
