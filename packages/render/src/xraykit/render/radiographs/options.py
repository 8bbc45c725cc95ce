"""The words for what pixel values mean and how frames become one; no torch, so that commands can offer them."""

from typing import Literal

Polarity = Literal["intensity", "inverted_intensity", "log_intensity", "log_attenuation", "line_integral"]
"""What a pixel value means; the table is in `Radiograph`."""
Reduction = Literal["mean", "median", "max", "min"]
"""What becomes of the frames of a pixel."""
Colour = Literal["luma"] | None
"""What becomes of a colour picture: its brightness, or None, a refusal."""
DetectorOrigin = Literal["xvr"] | None
"""What DetectorActiveOrigin holds: what DICOM says, or the principal point as the remixed data of xvr store it."""
