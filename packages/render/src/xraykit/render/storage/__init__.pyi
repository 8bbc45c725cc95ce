# Made by tools/make_stubs.py from the table in __init__.py.
from .atomic_write import (
    check_result_folder as check_result_folder,
)
from .atomic_write import (
    write_atomically as write_atomically,
)
