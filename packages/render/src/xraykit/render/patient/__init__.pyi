# Made by tools/make_stubs.py from the table in __init__.py.
from .body.regions import REGIONS as REGIONS
from .findings import FindingSettings as FindingSettings
from .generate import (
    Patient as Patient,
)
from .generate import (
    PatientSettings as PatientSettings,
)
from .generate import (
    generate_patient as generate_patient,
)
from .standard_torso import torso as torso
