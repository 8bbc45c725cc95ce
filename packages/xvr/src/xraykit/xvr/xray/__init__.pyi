# Made by tools/make_stubs.py from the table in __init__.py.
from .input_files import InputFiles as InputFiles
from .names import xray_names as xray_names
from .settings import (
    XrayDetails as XrayDetails,
    XraySettings as XraySettings,
)
from .shot import Shot as Shot
from .xray_input import (
    read_shot as read_shot,
    read_shots as read_shots,
)
