# Made by tools/make_stubs.py from the table in __init__.py.
from .matcher import Matcher as Matcher
from .matches import (
    Matches as Matches,
    PatchMatch as PatchMatch,
)
from .point_heat import (
    Place as Place,
    PointHeat as PointHeat,
)
from .view_letters import (
    view_letter as view_letter,
    view_number as view_number,
)
