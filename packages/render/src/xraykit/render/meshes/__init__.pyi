# Made by tools/make_stubs.py from the table in __init__.py.
from .checks import self_intersections as self_intersections
from .displacement import (
    displaced as displaced,
    volume_field as volume_field,
)
from .instrument_parts import (
    tube_mesh as tube_mesh,
    turned as turned,
)
from .instruments import (
    INSTRUMENTS as INSTRUMENTS,
    instrument as instrument,
)
from .mesh import Mesh as Mesh
from .mesh_thickness import thickness as thickness
