# Made by tools/make_stubs.py from the table in __init__.py.
from .atomic_write import (
    check_result_folder as check_result_folder,
    write_atomically as write_atomically,
)
from .settings_file import (
    read_settings as read_settings,
    read_table as read_table,
    write_settings as write_settings,
)
from .settings_leaves import (
    Leaf as Leaf,
    leaves as leaves,
)
from .typed_settings import (
    from_plain as from_plain,
    to_plain as to_plain,
)
