"""A picture that came from an X-ray machine: where it was exposed, how it is turned, what grows with density."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "density": "relative_line_integrals",
        "describe": "describe_radiograph",
        "field": "burnt_in exposed_field",
        "folder": "may_be_xray xrays_in_folder",
        "frame_geometry": "FrameGeometry",
        "options": "Colour DetectorOrigin Polarity Reduction",
        "orientation": "is_stored_mirrored stored_roll",
        "radiograph": "Origin Radiograph",
        "read": "count_frames read_radiograph",
        "save": "check_writable save_image",
        "shutter_tags": "shutter_field",
        "shutters": "CircularShutter PolygonalShutter RectangularShutter Shutter shutter_mask",
    },
)
