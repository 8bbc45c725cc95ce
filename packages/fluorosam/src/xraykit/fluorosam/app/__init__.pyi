# Made by tools/make_stubs.py from the table in __init__.py.
from .collimation import (
    CollimationBox as CollimationBox,
    collimation_box as collimation_box,
)
from .mask_session import MaskSession as MaskSession
from .opening import open_mask_page as open_mask_page
from .server import MaskServer as MaskServer
from .settings import MaskAppSettings as MaskAppSettings
