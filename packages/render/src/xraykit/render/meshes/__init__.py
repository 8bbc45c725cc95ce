"""Closed surfaces in space: checks, repair, path lengths, displacement, instruments."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "checks": "self_intersections",
        "displacement": "displaced volume_field",
        "instrument_parts": "tube_mesh turned",
        "instruments": "instrument INSTRUMENTS",
        "mesh": "Mesh",
        "mesh_thickness": "thickness",
    },
)
