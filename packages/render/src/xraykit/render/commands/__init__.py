"""What commands are made of: options from settings classes, progress, pages."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "display": "has_display serve_until_interrupt",
        "findings": "say_findings say_lines",
        "first_process": "last_scores say_end tell training_lines",
        "left_out": "INCOMPLETE LeftOut say_left_out",
        "options": "flat",
        "shared_settings": "CameraSettings ComputeSettings LabelSettings MeshUnits ProjectorSettings VolumeSettings",
        "picture_size": "check_size",
        "progress": "duration stages Steps Tally",
    },
)
