# Made by tools/make_stubs.py from the table in __init__.py.
from .answers import (
    ImplantAnswer as ImplantAnswer,
    ImplantRegistration as ImplantRegistration,
)
from .fit import ImplantFit as ImplantFit
from .implant import Implant as Implant
from .record import (
    ImplantRecord as ImplantRecord,
    read_implants as read_implants,
    write_implants as write_implants,
)
from .registration import register_implants as register_implants
from .search import OrientationSearch as OrientationSearch
from .settings import ImplantSettings as ImplantSettings
from .symmetry import (
    likely_symmetries as likely_symmetries,
    lookalikes as lookalikes,
)
