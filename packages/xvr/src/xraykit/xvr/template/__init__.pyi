# Made by tools/make_stubs.py from the table in __init__.py.
from .alignment import (
    Alignment as Alignment,
    align_to_template as align_to_template,
)
from .check_picture import alignment_picture as alignment_picture
from .settings import AlignmentSettings as AlignmentSettings
from .warp import (
    read_warp as read_warp,
    rigid_part as rigid_part,
    write_warp as write_warp,
)
