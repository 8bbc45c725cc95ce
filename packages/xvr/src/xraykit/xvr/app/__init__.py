"""The page of `xraykit xvr app`: poses by hand and by button, on this machine alone."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "opening": "open_app",
        "server": "AppServer",
        "session": "Session",
        "settings": "AppSettings OpeningSettings PageSettings",
    },
)
