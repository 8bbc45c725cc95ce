# Made by tools/make_stubs.py from the table in __init__.py.
from .describe import describe_radiograph as describe_radiograph
from .radiograph import (
    Origin as Origin,
    Radiograph as Radiograph,
)
from .read import read_radiograph as read_radiograph
from .save import (
    check_writable as check_writable,
    save_image as save_image,
)
