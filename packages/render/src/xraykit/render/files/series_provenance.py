"""What a DICOM series says of itself, what was left out or assumed of it, and what is odd about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from ..storage.dicom_header import assumed_encoding, read_dicom, tag_text
from ..storage.dicom_tags import number, text
from ..storage.dicom_values import has_modality_table
from ..storage.provenance import ASSUMED, DOUBT, Found, Origin
from .dicom_folder import UNREAD
from .dicom_slices import NO_UID, Slice

_TRUE_UNITS = ("HU", "US")
"""Rescale Type of Hounsfield numbers, or unspecified (PS3.3 C.11.1.1.2)."""


def series_provenance(stack: Sequence[Slice], left_out: Counter[str], *, beside: int) -> Found:
    """Field to origin for the slices that are read as one volume.

    Args:
        stack: The slices.
        left_out: What else was found beside them, by kind.
        beside: How many were taken along although they were not named.
    """
    first = stack[0]
    dataset = read_dicom(first.path)
    found = {
        "affine from": Origin("DICOM tags", "ImageOrientationPatient, ImagePositionPatient, PixelSpacing"),
        **_scale(stack, dataset),
        "series": Origin("not named" if first.series.uid == NO_UID else first.series.uid, "SeriesInstanceUID"),
    }
    for keyword, name in (("GantryDetectorTilt", "gantry tilt [deg]"), ("KVP", "tube voltage [kV]")):
        value = tag_text(first.path, dataset, keyword)
        if value is not None:
            found[name] = Origin(value, keyword)
    if encoding := assumed_encoding(dataset):
        found["encoding"] = Origin("incomplete", ASSUMED, f"the file lacks its {encoding}")
    kind = first.series.kind
    if kind in ("CT", "MR") and first.series.modality not in (kind, None):
        found["modality"] = Origin(kind, ASSUMED, "by its storage class, although Modality says something else")
    if left_out:
        said = ", ".join(counted(*entry) for entry in sorted(left_out.items()))
        found["left out"] = Origin(said, ASSUMED, "no part of the volume")
        if any(name in left_out for name in UNREAD):
            found["left out"] = Origin(said, DOUBT, "these may be slices that are missing")
    return found | _number_of_slices(stack, beside) | _gaps(stack, dataset)


def counted(what: str, count: int) -> str:
    """A count in words: "1 dose grid", "2 dose grids"."""
    return f"{count} {what}{'s' * (count != 1)}"


def _scale(stack: Sequence[Slice], dataset: Dataset) -> Found:
    scales = list(dict.fromkeys(piece.rescale for piece in stack))
    shown = ", ".join(f"x {scale.slope:g} + {scale.intercept:g}" for scale in scales[:3])
    shown += f", ... ({len(scales)} in all)" * (len(scales) > 3)
    found = {"rescale": Origin(shown, "RescaleSlope, RescaleIntercept")}
    if has_modality_table(stack[0].path, dataset):
        found["rescale"] = Origin("table", "ModalityLUTSequence")
    elif any(scale.tag == "default" for scale in scales):
        found["rescale"] = Origin(shown, ASSUMED, "the tags are absent: 1 and 0")
    if note := next((scale.note for scale in scales if scale.note), ""):
        found["rescale slope"] = Origin(0, DOUBT, note)
    unit = text(dataset, "RescaleType")
    if unit is not None and unit[0].upper() not in _TRUE_UNITS:
        found["rescale type"] = Origin(None, DOUBT, "RescaleType names another unit than Hounsfield numbers")
    return found


def _gaps(stack: Sequence[Slice], dataset: Dataset) -> Found:
    """Doubts about slices between those that are there."""
    if len(stack) < 2:
        return {}
    along = np.sort([float(piece.position @ stack[0].normal) for piece in stack])
    gap, said = float(np.median(np.diff(along))), number(dataset, "SpacingBetweenSlices")
    if said is not None and abs(said[0]) > 0 and abs(gap / abs(said[0]) - 1) > 0.02:
        note = f"{said[1]} contradicts the positions, {gap:.4g} mm apart, which are used; are slices missing?"
        return {"slice distance": Origin(abs(said[0]), DOUBT, note)}
    thickness = stack[0].thickness
    if thickness is not None and 0 < thickness < gap / 1.5:
        note = f"slices of {thickness:g} mm lie {gap:.4g} mm apart: what lies between is interpolated; are any missing?"
        return {"gaps": Origin(gap, DOUBT, note)}
    return {}


def _number_of_slices(stack: Sequence[Slice], beside: int) -> Found:
    if beside:
        note = f"one slice was named, the {beside} others of its series beside it were read too"
        return {"slices": Origin(len(stack), ASSUMED, note)}
    if len(stack) == 1:
        return {"slices": Origin(1, DOUBT, "a slab of its SliceThickness; name the folder of the whole series")}
    return {}
