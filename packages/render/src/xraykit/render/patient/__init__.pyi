# Made by tools/make_stubs.py from the table in __init__.py.
from .body.regions import REGIONS as REGIONS
from .findings import FindingSettings as FindingSettings
from .generate import (
    Patient as Patient,
    PatientSettings as PatientSettings,
    generate_patient as generate_patient,
)
from .standard_torso import torso as torso
