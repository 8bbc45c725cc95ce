"""What the pixel values of a DICOM X-ray image mean: which tag says so, or which stated default stood in."""

from __future__ import annotations

from pydicom.dataset import Dataset

from ..storage.dicom_tags import find, number, text
from ..storage.provenance import Origin
from .radiograph import Polarity

LINE_INTEGRAL_UNITS = "LINE_INTEGRAL"
FLUOROSCOPIC = ("XA", "RF", "XRF")


def polarity_from_tags(dataset: Dataset, *, modality: str, slope_sign: float = 1.0) -> tuple[Polarity, Origin]:
    """The polarity of the pixel values after the modality transformation, and what decided it.

    Two questions: how the value follows from the X-ray intensity (scale), and whether more value means more intensity
    (direction).

    Scale: Rescale Type LINE_INTEGRAL (our own files); a Modality LUT undoing LOG gives intensity again (X-Ray Image
    Module: a LOG image comes with the table that makes it linear); Pixel Intensity Relationship LIN or LOG. Otherwise
    (DISP, OTHER, absent) the default of the modality, recorded as an assumption: XA and RF proportional to intensity,
    DX and CR logarithmic, as plate readers and images processed for presentation are.
    Direction: Pixel Intensity Relationship Sign, +1 lower values are less intensity, -1 higher values are less
    intensity; it speaks of stored values, so a negative rescale slope turns it round. Without a sign, LIN in an XA or
    RF image means proportional to intensity. Otherwise the display default of the modality, recorded as an assumption:
    XA and RF show the open beam bright, DX and CR show bone bright; MONOCHROME2 shows high values bright, MONOCHROME1
    shows low values bright. Photometric Interpretation and Presentation LUT Shape decide nothing else: they speak of
    the screen.

    Args:
        dataset: The parsed file.
        modality: XA, RF, DX, CR, ...
        slope_sign: Sign of the rescale slope that was applied.

    Returns:
        The polarity and its origin.

    Source: DICOM PS3.3 C.8.7.1.1.2 (X-Ray Image Module), C.8.11.3.1.2 (DX Image Module), C.8.19.6.4 (Enhanced XA).
    """
    relation = text(dataset, "PixelIntensityRelationship")
    scale = "" if relation is None else relation[0].upper()
    units = text(dataset, "RescaleType")
    if units is not None and units[0].upper() == LINE_INTEGRAL_UNITS:
        return "line_integral", Origin("line_integral", units[1], "dimensionless, -ln(I/I0)")
    if scale == "LOG" and relation is not None and find(dataset, "ModalityLUTSequence") is not None:
        note = "LOG, made linear by the Modality LUT"
        return "intensity", Origin("intensity", relation[1], note)
    more_is_more, tag, note = _direction(dataset, modality, scale, slope_sign)
    known = scale in ("LIN", "LOG")
    logarithmic = scale == "LOG" or (not known and modality not in FLUOROSCOPIC)
    polarity = _name(more_is_more, logarithmic=logarithmic)
    if known:
        return polarity, Origin(polarity, tag, f"{scale}; {note}")
    why = "an unknown PixelIntensityRelationship" if scale else "no PixelIntensityRelationship"
    taken = "logarithmic" if logarithmic else "proportional to intensity"
    return polarity, Origin(polarity, "assumed", f"{note}; {why}: {modality} taken as {taken}")


def _name(more_is_more: bool, *, logarithmic: bool) -> Polarity:
    if logarithmic:
        return "log_intensity" if more_is_more else "log_attenuation"
    return "intensity" if more_is_more else "inverted_intensity"


def _direction(dataset: Dataset, modality: str, scale: str, slope_sign: float) -> tuple[bool, str, str]:
    sign = number(dataset, "PixelIntensityRelationshipSign")
    flips = ", turned round by the negative rescale slope" if slope_sign < 0 else ""
    if sign is not None and sign[0] in (1, -1):
        meaning = "lower" if sign[0] > 0 else "higher"
        note = f"sign {sign[0]:+.0f}: {meaning} stored values are less intensity{flips}"
        return sign[0] * slope_sign > 0, sign[1], note
    relation = text(dataset, "PixelIntensityRelationship")
    if scale == "LIN" and modality in FLUOROSCOPIC and relation is not None:
        return slope_sign > 0, relation[1], f"stored values proportional to the X-ray intensity{flips}"
    photometric = text(dataset, "PhotometricInterpretation")
    high_is_bright = photometric is None or photometric[0].upper() != "MONOCHROME1"
    shown = "the open beam" if modality in FLUOROSCOPIC else "bone"
    name = "MONOCHROME2" if high_is_bright else "MONOCHROME1"
    note = f"no sign tag; {modality} in {name} taken to show {shown} bright{flips}"
    return (high_is_bright == (modality in FLUOROSCOPIC)) == (slope_sign > 0), "assumed", note
