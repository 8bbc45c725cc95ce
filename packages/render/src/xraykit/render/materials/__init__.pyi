# Made by tools/make_stubs.py from the table in __init__.py.
from .attenuation import (
    Attenuation as Attenuation,
    DiffDRRDensity as DiffDRRDensity,
    MRPassthrough as MRPassthrough,
)
from .materials import (
    MATERIALS as MATERIALS,
    Material as Material,
    find_material as find_material,
)
