# Made by tools/make_stubs.py from the table in __init__.py.
from .attention_picture import (
    AttentionLook as AttentionLook,
    draw_attention as draw_attention,
)
from .heat_picture import (
    QueryPoint as QueryPoint,
    draw_heat as draw_heat,
)
from .match_picture import draw_matches as draw_matches
from .matched_files import (
    AskedXrays as AskedXrays,
    MatchedXrays as MatchedXrays,
    ask_xrays as ask_xrays,
    match_xrays as match_xrays,
)
from .settings import (
    MatchFilesSettings as MatchFilesSettings,
    QueryFilesSettings as QueryFilesSettings,
    UsedMatcherSettings as UsedMatcherSettings,
)
