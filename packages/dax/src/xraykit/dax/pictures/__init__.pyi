# Made by tools/make_stubs.py from the table in __init__.py.
from .attention import (
    attention_maps as attention_maps,
    heat_overlay as heat_overlay,
    most_attended as most_attended,
)
from .look_at_xrays import look as look
from .patches import (
    PatchColours as PatchColours,
    patch_colours as patch_colours,
)
from .projection import (
    PrincipalAxes as PrincipalAxes,
    plane_of as plane_of,
    principal_axes as principal_axes,
)
from .scatter import plot_planes as plot_planes
from .settings import LookSettings as LookSettings
from .sheet import xray_sheet as xray_sheet
