# Made by tools/make_stubs.py from the table in __init__.py.
from .attenuation import (
    Attenuation as Attenuation,
)
from .attenuation import (
    DiffDRRDensity as DiffDRRDensity,
)
from .attenuation import (
    MRPassthrough as MRPassthrough,
)
from .materials import (
    MATERIALS as MATERIALS,
)
from .materials import (
    Material as Material,
)
from .materials import (
    find_material as find_material,
)
