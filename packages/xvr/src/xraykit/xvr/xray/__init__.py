"""X-rays made ready to be registered."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "input_files": "InputFiles",
        "names": "xray_names",
        "settings": "XrayDetails XraySettings",
        "shot": "Shot",
        "xray_input": "read_shot read_shots",
    },
)
