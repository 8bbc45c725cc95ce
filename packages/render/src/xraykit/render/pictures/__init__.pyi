# Made by tools/make_stubs.py from the table in __init__.py.
from .grey_and_overlay import (
    montage as montage,
    overlay as overlay,
    save_png as save_png,
    to_grey as to_grey,
)
from .plot import (
    explain_geometry as explain_geometry,
    plot_xray as plot_xray,
)
