# Made by tools/make_stubs.py from the table in __init__.py.
from .edge_letters import (
    EdgeLetters as EdgeLetters,
    directions_at_edges as directions_at_edges,
)
from .grey_and_overlay import (
    INK as INK,
    PAPER as PAPER,
    colours as colours,
    legend as legend,
    montage as montage,
    overlay as overlay,
    save_png as save_png,
    to_grey as to_grey,
    wrap as wrap,
)
from .labelled import (
    beside_legend as beside_legend,
    labelled_picture as labelled_picture,
)
from .plot import (
    explain_geometry as explain_geometry,
    plot_xray as plot_xray,
)
