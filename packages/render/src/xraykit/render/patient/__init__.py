"""Procedural patients: a body in parts, each described in its own frame, painted onto one grid."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "body.regions": "REGIONS",
        "findings": "FindingSettings",
        "generate": "generate_patient Patient PatientSettings",
        "standard_torso": "torso",
    },
)
