# Made by tools/make_stubs.py from the table in __init__.py.
from .opening import open_app as open_app
from .server import AppServer as AppServer
from .session import Session as Session
from .settings import (
    AppSettings as AppSettings,
    OpeningSettings as OpeningSettings,
    PageSettings as PageSettings,
)
