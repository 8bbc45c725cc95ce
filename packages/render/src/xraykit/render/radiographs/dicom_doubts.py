"""What is hardly true of a DICOM X-ray, or was lost of it: sizes that no machine has, text in the image, losses."""

from __future__ import annotations

from pydicom.dataset import Dataset

from ..geometry.plausible_camera import PITCH, SDD, SIDE
from ..storage.dicom_kinds import dicom_kind
from ..storage.dicom_tags import numbers, text
from ..storage.provenance import DOUBT, Found, Origin

SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing", "ImagePlanePixelSpacing")
MAGNIFIED = 10.0  # mini C-arms and dental sensors stay below 3


def dicom_doubts(dataset: Dataset) -> Found:
    """Findings whose tag is "doubt", of the image as a whole."""
    doubts: Found = {}
    if _says(dataset, "BurnedInAnnotation", "YES"):
        note = "the image bears text, which hides anatomy and may name the patient"
        doubts["burnt-in text"] = Origin(None, DOUBT, note)
    if _says(dataset, "LossyImageCompression", "01"):
        note = "the image was packed with losses: its values are not as measured"
        doubts["compression"] = Origin(None, DOUBT, note)
    kinds = text(dataset, "ImageType")
    if kinds is not None and "SUBTRACT" in kinds[0].upper():
        note = "a mask was subtracted from the image, and bone with it: what is left are vessels and motion"
        doubts["subtraction"] = Origin(None, DOUBT, note)
    ratio = numbers(dataset, "PixelAspectRatio", 2)
    if ratio is not None and ratio[0][0] != ratio[0][1] and not any(name in dataset for name in SPACINGS):
        note = "height to width of a pixel; no tag states the spacing: give both, as --pixel-spacing 0.4 0.2"
        doubts["pixel aspect ratio"] = Origin(ratio[0], DOUBT, note)
    if dicom_kind(dataset) == "capture":
        note = "a copy of what a screen showed: its values are processed for display, its spacing may be the screen's"
        doubts["secondary capture"] = Origin(None, DOUBT, note)
    return doubts


def frame_doubts(spare: int) -> Found:
    """The doubt about so many frames that lie behind those which the tags declare."""
    if not spare:
        return {}
    note = "behind those that NumberOfFrames declares are left out; is the tag wrong?"
    return {"frames": Origin(spare, DOUBT, note)}


def geometry_doubts(found: Found, *, height: int, width: int) -> Found:
    """Findings whose tag is "doubt", of one frame, beside the contradictions that `camera_from_tags` finds.

    Args:
        found: What `camera_from_tags` found.
        height: Rows of the image.
        width: Columns of the image.
    """
    doubts: Found = {}
    sdd = found["sdd"].value if "sdd" in found else None
    if isinstance(sdd, float) and not SDD[0] <= sdd <= SDD[1]:
        note = f"tubes stand {SDD[0]:g} to {SDD[1]:g} mm from the detector; is it given in another unit?"
        doubts["source to detector"] = Origin(sdd, DOUBT, note)
    sod = found["sod"].value if "sod" in found else None
    if isinstance(sdd, float) and isinstance(sod, float) and sdd / sod > MAGNIFIED:
        note = f"mm; the image would be {sdd / sod:.3g} times as large as the patient; is it given in another unit?"
        doubts["source to isocenter"] = Origin(sod, DOUBT, note)
    factor = found["magnification"].value if "magnification" in found else None
    if isinstance(factor, float) and not (factor == 0 or 0.99 < factor <= MAGNIFIED):
        note = "no image is smaller than the patient, or so much larger; check the magnification factor"
        doubts["magnification"] = Origin(factor, DOUBT, note)
    spacing = found["pixel_spacing"].value if "pixel_spacing" in found else None
    if isinstance(spacing, tuple):
        sides = (height * spacing[0], width * spacing[1])
        if max(spacing) > PITCH or not SIDE[0] <= max(sides) <= SIDE[1]:
            doubts["detector size"] = Origin(
                sides, DOUBT, "mm; no detector is of this size, so check the pixel spacing"
            )
        if spacing == (1.0, 1.0):
            note = "exactly 1 mm is what programs write that know no spacing; is it true?"
            doubts["spacing of 1 mm"] = Origin(None, DOUBT, note)
    return doubts


def _says(dataset: Dataset, keyword: str, value: str) -> bool:
    said = text(dataset, keyword)
    return said is not None and said[0].upper() == value
