# Made by tools/make_stubs.py from the table in __init__.py.
from .climb_settings import RegistrationSettings as RegistrationSettings
from .pose_distance import misplacement as misplacement
from .registration import (
    RefinedCandidate as RefinedCandidate,
    RefinementStep as RefinementStep,
    Registration as Registration,
    register_structures as register_structures,
    similarities as similarities,
)
from .settings import RefinementSettings as RefinementSettings
from .similarity import (
    gradient_ncc as gradient_ncc,
    mncc as mncc,
    ncc as ncc,
    patch_ncc as patch_ncc,
)
from .structure import (
    NamedStructures as NamedStructures,
    Structure as Structure,
    Surroundings as Surroundings,
    structure_of as structure_of,
)
from .surroundings import (
    register_among as register_among,
    structures_among as structures_among,
)
