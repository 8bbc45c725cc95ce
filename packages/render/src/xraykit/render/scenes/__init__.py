"""A scene on disk."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "save": "save_simulation",
        "scene_yaml": "read_scene write_scene",
        "tool_library": "read_tool_library ToolLibrary",
    },
)
