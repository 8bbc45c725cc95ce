"""Our own private DICOM tags of an X-ray: the principal point and the poses, which no standard tag holds."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from ..storage.dicom_tags import DICOM_DAMAGE
from ..storage.provenance import DOUBT, Found, Origin

PRIVATE_GROUP, PRIVATE_CREATOR = 0x0059, "XRAYKIT 1.0"
PRIVATE_CENTRE, PRIVATE_POSE = 0x01, 0x02


def private_numbers(dataset: Dataset, offset: int) -> tuple[float, ...] | None:
    """What save_dicom.py wrote: the centre (x, y), or 16 numbers for each pose; None where there is none, or damage."""
    try:
        value = dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)[offset].value
        values = tuple(float(v) for v in value)
    except DICOM_DAMAGE:
        return None
    is_whole = len(values) == 2 if offset == PRIVATE_CENTRE else values and len(values) % 16 == 0
    return values if is_whole and all(map(math.isfinite, values)) else None


def private_doubts(dataset: Dataset) -> Found:
    """A doubt for each of our own tags that is there and does not hold what was written."""
    found: Found = {}
    for name, offset in (("principal point", PRIVATE_CENTRE), ("pose", PRIVATE_POSE)):
        if _is_there(dataset, offset) and private_numbers(dataset, offset) is None:
            note = f"the private tag of {PRIVATE_CREATOR} is damaged and left out, so another tag or a default stands"
            found[f"private {name}"] = Origin(None, DOUBT, note)
    return found


def _is_there(dataset: Dataset, offset: int) -> bool:
    try:
        return offset in dataset.private_block(PRIVATE_GROUP, PRIVATE_CREATOR)
    except DICOM_DAMAGE:
        return False
