"""The camera that the tags of an X-ray image describe, and which tag gave each part of it."""

from __future__ import annotations

from typing import Literal

from pydicom.dataset import Dataset

from ..converters.positioner_tags import positioner_angle, source_to_isocenter
from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..storage.dicom_tags import number, numbers, tag_name, text
from ..storage.provenance import ASSUMED, DOUBT, Found, Origin
from .options import DetectorOrigin
from .private_tags import PRIVATE_CENTRE, PRIVATE_CREATOR, PRIVATE_POSE, private_doubts, private_numbers
from .rt_image import distance_of_receptor, receptor_plane
from .unread_tags import unread_tags

OBLIQUE = ("DetectorPrimaryAngle", "DetectorSecondaryAngle", "ColumnAngulation")

ANGLES: tuple[tuple[str, Literal["Primary", "Secondary"], str], ...] = (
    ("lao_rao", "Primary", "LAO +"),
    ("cra_cau", "Secondary", "CRA +"),
)
# Recorded for the pose (converters/dicom.py) and for a reader's eyes; they do not enter the intrinsics.
NOTED = {
    "magnification": ("EstimatedRadiographicMagnificationFactor", "sdd / sod"),
    "detector_primary_angle": ("DetectorPrimaryAngle", "degrees; not zero: the beam is oblique to the detector"),
    "detector_secondary_angle": ("DetectorSecondaryAngle", "degrees; not zero: the beam is oblique to the detector"),
    "field_of_view_rotation": ("FieldOfViewRotation", "degrees clockwise; the image is turned"),
    "gantry_angle": ("GantryAngle", "degrees, IEC 61217; 0 is the source above the couch"),
}
NOTED_TEXT = {
    "field_of_view_flip": ("FieldOfViewHorizontalFlip", "YES: the image is mirrored against the detector"),
    "patient_orientation": ("PatientOrientation", "towards the right and the bottom of the image"),
    "patient_position": ("PatientPosition", ""),
    "view_position": ("ViewPosition", ""),
    "shutter": ("ShutterShape", "collimated; pixels outside are no measurement"),
}


def camera_from_tags(
    dataset: Dataset, *, height: int, width: int, detector_active_origin: DetectorOrigin = None, frame: int = 0
) -> tuple[Camera | None, Found]:
    """The intrinsics of a DICOM X-ray image, or None with the reason in the facts under "camera".

    All tags are sought in the frame's own functional groups, the shared ones, and at the top.

    sdd: Distance Source to Detector or RT Image SID; else Distance Source to Patient times Estimated Radiographic
    Magnification Factor; else Radiation Machine SAD and the height of X-Ray Image Receptor Translation.
    pixel_spacing, at the detector, the first that is there: Imager Pixel Spacing or Image Plane Pixel Spacing; Detector
    Element Spacing times Detector Binning; Nominal Scanned Pixel Spacing; Pixel Spacing. All but the first two are
    recorded as assumptions.
    Pixel Spacing calibrated to the patient (Pixel Spacing Calibration Type, PS3.3 10.7.1.3) is used only where it is
    GEOMETRY and the magnification factor brings it back to the detector.
    principal_point: our own private tag; where the beam meets the receptor by RT Image Position, its orientation, and
    the receptor's angle and translation (see rt_image.py); otherwise the image centre, recorded as an assumption.

    Args:
        dataset: The parsed file.
        height: Rows of the image.
        width: Columns of the image.
        detector_active_origin: "xvr" reads Detector Active Origin as the principal point's offset from the image
            centre in mm, (row, column), as the remixed data of xvr store it. In the standard this tag counts detector
            elements and says nothing of the principal point, so None ignores it.
        frame: Whose camera, counted from 0.

    Returns:
        The camera or None, and the facts: field to `Origin`.

    Raises:
        InputError: An unknown `detector_active_origin`.

    Source: DICOM PS3.3 C.8.7.5 (XA Positioner), C.8.11.4 (DX Detector), C.8.8.2 (RT Image), 10.7.1.3
        (Pixel Spacing calibration).
    """
    if detector_active_origin not in (None, "xvr"):
        raise InputError(f"detector_active_origin must be None or 'xvr', got {detector_active_origin!r}.")
    facts = _noted(dataset, frame) | unread_tags(dataset, frame=frame) | private_doubts(dataset)
    sdd = _sdd(dataset, facts, frame)
    spacing = _spacing(dataset, facts, frame)
    missing = [why for why in (_why(facts, "sdd", sdd), _why(facts, "pixel_spacing", spacing)) if why]
    if sdd is None or spacing is None:
        facts["camera"] = Origin(None, "missing", "; ".join(missing))
        return None, facts
    centre = _principal_point(dataset, facts, (height, width), spacing, detector_active_origin, frame)
    try:
        camera = Camera(sdd=sdd, height=height, width=width, pixel_spacing=spacing, principal_point=centre)
    except GeometryError as error:
        facts["camera"] = Origin(None, "missing", str(error))
        return None, facts
    return camera, facts


def _why(facts: Found, name: str, value: object) -> str:
    return "" if value is not None else facts[name].note


def _sdd(dataset: Dataset, facts: Found, frame: int) -> float | None:
    sod = source_to_isocenter(dataset, frame=frame)
    if sod is not None:
        facts["sod"] = Origin(sod[0], sod[1], "mm, source to isocenter")
    given = number(dataset, "DistanceSourceToDetector", frame=frame) or number(dataset, "RTImageSID", frame=frame)
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor", frame=frame)
    if given is not None and given[0] > 0:
        facts["sdd"] = Origin(given[0], given[1], "mm")
        if sod is not None and sod[0] >= given[0]:
            note = (
                f"source to isocenter is {sod[0]:g} mm, to the detector {given[0]:g} mm: the patient would be behind it"
            )
            facts["distances"] = Origin(None, DOUBT, note)
        elif sod is not None and factor is not None and factor[0] and abs(given[0] / sod[0] / factor[0] - 1) > 0.02:
            note = f"{factor[1]} contradicts the distances, whose ratio {given[0] / sod[0]:.3f} is used"
            facts["magnification factor"] = Origin(factor[0], DOUBT, note)
        return given[0]
    if sod is not None and factor is not None and factor[0] > 1:
        sdd = sod[0] * factor[0]
        facts["sdd"] = Origin(sdd, "assumed", f"mm; {sod[1]} times {factor[1]}")
        return sdd
    receptor = distance_of_receptor(dataset, frame=frame)
    if receptor is not None:
        facts["sdd"] = receptor
        return float(receptor.value)  # type: ignore[arg-type]
    state = "is missing" if given is None else f"is {given[0]:g}"
    facts["sdd"] = Origin(None, "missing", f"{tag_name('DistanceSourceToDetector')} {state}")
    return None


def _spacing(dataset: Dataset, facts: Found, frame: int) -> tuple[float, float] | None:
    elements = _pair(dataset, "DetectorElementSpacing", frame)
    binning = _pair(dataset, "DetectorBinning", frame)
    bins = (1.0, 1.0) if binning is None else binning[0]
    element_size = None if elements is None else (elements[0][0] * bins[0], elements[0][1] * bins[1])
    imager = _pair(dataset, "ImagerPixelSpacing", frame) or _pair(dataset, "ImagePlanePixelSpacing", frame)
    if imager is not None:
        if element_size is not None and max(abs(imager[0][n] / element_size[n] - 1) for n in (0, 1)) > 0.01:
            note = f"mm; times binning they contradict {imager[1]}, which is used; was the image resampled afterwards?"
            facts["detector elements"] = Origin(element_size, DOUBT, note)
        return _fact(facts, imager[0], imager[1], "mm at the detector, (row, column)")
    if element_size is not None:
        note = f"mm; {tag_name('DetectorElementSpacing')} times binning, assuming that the image was not resampled"
        return _fact(facts, element_size, "assumed", note)
    scanned = _pair(dataset, "NominalScannedPixelSpacing", frame)
    if scanned is not None:
        return _fact(facts, scanned[0], "assumed", f"mm; {scanned[1]}, taking the scanned plate as the detector")
    return _from_pixel_spacing(dataset, facts, frame)


def _from_pixel_spacing(dataset: Dataset, facts: Found, frame: int) -> tuple[float, float] | None:
    missing = f"{tag_name('ImagerPixelSpacing')} is missing"
    pixel = _pair(dataset, "PixelSpacing", frame)
    if pixel is None:
        facts["pixel_spacing"] = Origin(None, "missing", missing)
        return None
    kind = text(dataset, "PixelSpacingCalibrationType", frame=frame)
    if kind is None:
        note = f"mm; {pixel[1]} without calibration type, assumed to hold at the detector"
        return _fact(facts, pixel[0], "assumed", note)
    factor = number(dataset, "EstimatedRadiographicMagnificationFactor", frame=frame)
    if kind[0] == "GEOMETRY" and factor is not None and factor[0] >= 1:
        at_detector = (pixel[0][0] * factor[0], pixel[0][1] * factor[0])
        return _fact(facts, at_detector, "assumed", f"mm; {pixel[1]} (calibrated to the patient) times {factor[1]}")
    why = f"{missing} and {pixel[1]} is calibrated to the patient ({kind[0]})"
    facts["pixel_spacing"] = Origin(None, "missing", why)
    return None


def _principal_point(
    dataset: Dataset,
    facts: Found,
    size: tuple[int, int],
    spacing: tuple[float, float],
    detector_active_origin: DetectorOrigin,
    frame: int,
) -> tuple[float, float]:
    height, width = size
    private = private_numbers(dataset, PRIVATE_CENTRE)
    active = _pair(dataset, "DetectorActiveOrigin", frame, positive=False)
    plane = receptor_plane(dataset, facts, frame=frame)
    if private is not None:
        centre = (private[0], private[1])
        facts["principal_point"] = Origin(centre, f"private tag of {PRIVATE_CREATOR}", "px, (x, y)")
    elif detector_active_origin == "xvr" and active is not None:
        centre = (width / 2 + active[0][1] / spacing[1], height / 2 + active[0][0] / spacing[0])
        note = "px, (x, y); read as mm offsets from the image centre, as asked (xvr)"
        facts["principal_point"] = Origin(centre, active[1], note)
    elif plane is not None:
        centre = plane.principal_point(spacing)
        note = "px, (x, y); where the beam's axis meets the receptor"
        facts["principal_point"] = Origin(centre, tag_name("RTImagePosition"), note)
    else:
        centre = (width / 2, height / 2)
        note = "px, (x, y); no tag states it: the image centre"
        facts["principal_point"] = Origin(centre, ASSUMED, note)
        if active is not None:
            note += f" ({active[1]} counts detector elements and is no principal point)"
            facts["principal_point"] = Origin(centre, ASSUMED, note)
        angles = (number(dataset, key, frame=frame) for key in OBLIQUE)
        if any(angle is not None and angle[0] != 0 for angle in angles):
            note = "the beam is oblique to the detector, so the principal point is not the image centre"
            facts["oblique beam"] = Origin(None, DOUBT, note)
    return centre


def _noted(dataset: Dataset, frame: int) -> Found:
    facts: Found = {}
    for name, which, sense in ANGLES:
        angle = positioner_angle(dataset, which, frame=frame)
        if angle is not None:
            facts[name] = Origin(angle.degrees, angle.tag, f"degrees, {sense}{angle.note}")
        if angle is not None and angle.doubt:
            facts[f"increments of {name}"] = Origin(None, DOUBT, angle.doubt)
    for name, (keyword, note) in NOTED.items():
        got = number(dataset, keyword, frame=frame)
        if got is not None:
            facts[name] = Origin(got[0], got[1], note)
    for name, (keyword, note) in NOTED_TEXT.items():
        said = text(dataset, keyword, frame=frame)
        if said is not None:
            facts[name] = Origin(said[0], said[1], note)
    pose = private_numbers(dataset, PRIVATE_POSE)
    if pose is not None:
        note = "4x4 per frame, row by row, RAS mm"
        facts["camera_to_world"] = Origin(pose, f"private tag of {PRIVATE_CREATOR}", note)
    return facts


def _pair(
    dataset: Dataset, keyword: str, frame: int, *, positive: bool = True
) -> tuple[tuple[float, float], str] | None:
    found = numbers(dataset, keyword, 2, frame=frame)
    if found is None or (positive and min(found[0]) <= 0):
        return None
    return (found[0][0], found[0][1]), found[1]


def _fact(facts: Found, value: tuple[float, float], tag: str, note: str) -> tuple[float, float]:
    facts["pixel_spacing"] = Origin(value, tag, note)
    return value
