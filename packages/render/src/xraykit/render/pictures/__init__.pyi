# Made by tools/make_stubs.py from the table in __init__.py.
from .grey_and_overlay import (
    montage as montage,
)
from .grey_and_overlay import (
    overlay as overlay,
)
from .grey_and_overlay import (
    save_png as save_png,
)
from .grey_and_overlay import (
    to_grey as to_grey,
)
from .plot import (
    explain_geometry as explain_geometry,
)
from .plot import (
    plot_xray as plot_xray,
)
