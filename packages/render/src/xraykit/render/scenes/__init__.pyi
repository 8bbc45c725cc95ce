# Made by tools/make_stubs.py from the table in __init__.py.
from .save import save_simulation as save_simulation
from .scene_yaml import (
    read_scene as read_scene,
    write_scene as write_scene,
)
from .tool_library import (
    ToolLibrary as ToolLibrary,
    read_tool_library as read_tool_library,
)
