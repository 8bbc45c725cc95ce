# Made by tools/make_stubs.py from the table in __init__.py.
from .density import relative_line_integrals as relative_line_integrals
from .describe import describe_radiograph as describe_radiograph
from .field import (
    burnt_in as burnt_in,
    exposed_field as exposed_field,
)
from .folder import (
    may_be_xray as may_be_xray,
    xrays_in_folder as xrays_in_folder,
)
from .frame_geometry import FrameGeometry as FrameGeometry
from .options import (
    Colour as Colour,
    DetectorOrigin as DetectorOrigin,
    Polarity as Polarity,
    Reduction as Reduction,
)
from .orientation import (
    is_stored_mirrored as is_stored_mirrored,
    stored_roll as stored_roll,
)
from .radiograph import (
    Origin as Origin,
    Radiograph as Radiograph,
)
from .read import (
    count_frames as count_frames,
    read_radiograph as read_radiograph,
)
from .save import (
    check_writable as check_writable,
    save_image as save_image,
)
from .shutter_tags import shutter_field as shutter_field
from .shutters import (
    CircularShutter as CircularShutter,
    PolygonalShutter as PolygonalShutter,
    RectangularShutter as RectangularShutter,
    Shutter as Shutter,
    shutter_mask as shutter_mask,
)
