# Made by tools/make_stubs.py from the table in __init__.py.
from .server import start_viewer as start_viewer
from .state import ViewerState as ViewerState
