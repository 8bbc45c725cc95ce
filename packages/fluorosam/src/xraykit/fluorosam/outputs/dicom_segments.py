"""What a segment of a DICOM segmentation says of itself: name, codes, side, colour."""

from __future__ import annotations

from pydicom.dataset import Dataset

from xraykit.render.storage import installed_version

from .named_mask import NamedMask

SCHEME = "99XRAYKIT"
ANATOMY = ("123037004", "SCT", "Anatomical Structure")
OBJECT = ("260787004", "SCT", "Physical object")
PLACE = ("309825002", "SCT", "Spatial and Relational Concept")
SIDES = {"left": ("7771000", "SCT", "Left"), "right": ("24028007", "SCT", "Right")}
MOST_LETTERS = 64  # of a label and a code's meaning (LO)
MOST_CODE = 16  # of a code's value (SH); longer ones are LongCodeValue


def segment_item(number: int, one: NamedMask, colour: tuple[int, int, int]) -> Dataset:
    """An item of the Segment Sequence.

    Args:
        number: From 1.
        one: The mask that it is of.
        colour: (r, g, b) in which it is best shown.
    """
    item = Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = one.name.replace("\\", "/")[:MOST_LETTERS].strip()
    sure = "" if one.confidence is None else f", confidence {one.confidence:.2f}"
    item.SegmentDescription = f"{one.name}{sure}"[:1024]
    item.SegmentAlgorithmType = "SEMIAUTOMATIC" if one.pointed else "AUTOMATIC"
    item.SegmentAlgorithmName = f"xraykit-fluorosam {installed_version('xraykit-fluorosam')}"[:MOST_LETTERS]
    category = {None: PLACE, "tool": OBJECT}.get(one.kind, ANATOMY)
    item.SegmentedPropertyCategoryCodeSequence = [code_item(*category)]
    name = one.target or "region"
    type_item = code_item(name, SCHEME, name.replace("_", " "))
    side = next((code for word, code in SIDES.items() if word in name.split("_")), None)
    if side is not None:
        type_item.SegmentedPropertyTypeModifierCodeSequence = [code_item(*side)]
    item.SegmentedPropertyTypeCodeSequence = [type_item]
    item.RecommendedDisplayCIELabValue = cielab(colour)
    return item


def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """A coded entry."""
    item = Dataset()
    setattr(item, "CodeValue" if len(value) <= MOST_CODE else "LongCodeValue", value)
    item.CodingSchemeDesignator, item.CodeMeaning = scheme, meaning[:MOST_LETTERS]
    return item


def cielab(colour: tuple[int, int, int]) -> list[int]:
    """A colour of sRGB as DICOM writes CIELab (D65 white): L* 0 to 100, a* and b* -128 to 127, each as 0 to 65535.

    Source: IEC 61966-2-1; DICOM PS3.3 C.10.7.1.1.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (sum(a * b for a, b in zip(row, linear, strict=True)) / one for row, one in zip(rows, white, strict=True))
    fx, fy, fz = (t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z))
    lightness, a, b = 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)
    shares = (lightness / 100, (a + 128) / 255, (b + 128) / 255)
    return [round(65535 * min(max(share, 0.0), 1.0)) for share in shares]
