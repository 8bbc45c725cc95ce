"""Find a DICOM attribute of a frame in the functional groups or at the top of a data set, and say which tag gave it."""

from __future__ import annotations

import math
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
DICOM_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError),
    *(NotImplementedError, OverflowError, RuntimeError, struct.error, zlib.error),
    *(InvalidDicomError, BytesLengthException),  # the latter derives from Exception alone
)
"""What pydicom raises on damaged bytes: it documents none of them; fuzzing and its tracker show these."""


class TagValue(NamedTuple):
    """A tag's value and the tag's name."""

    value: object
    tag: str


def tag_name(keyword: str) -> str:
    """Keyword and number as one name, such as "ImagerPixelSpacing (0018,1164)"."""
    tag = tag_for_keyword(keyword)
    return keyword if tag is None else f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def find(dataset: Dataset, keyword: str, *, frame: int = 0) -> TagValue | None:
    """The first non-empty value of `keyword` in this frame's functional groups, the shared ones, or at the top."""
    for place, where in places(dataset, frame):
        value = _value(place, keyword)
        if value is not None:
            return TagValue(value, tag_name(keyword) + where)
    return None


def text(dataset: Dataset, keyword: str, *, frame: int = 0) -> tuple[str, str] | None:
    r"""A text value without padding (several joined by a backslash) and its tag, None when absent."""
    found = find(dataset, keyword, frame=frame)
    if found is None:
        return None
    raw = found.value if isinstance(found.value, (MultiValue, list, tuple)) else [found.value]
    return "\\".join(str(v).strip() for v in raw), found.tag


def numbers(
    dataset: Dataset, keyword: str, count: int | None, *, frame: int = 0
) -> tuple[tuple[float, ...], str] | None:
    """A tuple of `count` finite floats (None: any number) and its tag, None when absent or malformed."""
    found = find(dataset, keyword, frame=frame)
    if found is None:
        return None
    values = _finite(found.value if isinstance(found.value, (MultiValue, list, tuple)) else [found.value])
    if values is None or (count is not None and len(values) != count):
        return None
    return values, found.tag


def number(dataset: Dataset, keyword: str, *, frame: int = 0) -> tuple[float, str] | None:
    """One finite float and its tag, None when absent or malformed."""
    found = numbers(dataset, keyword, 1, frame=frame)
    return None if found is None else (found[0][0], found[1])


def unread(
    dataset: Dataset, keyword: str, count: int | None, *, above: float = -math.inf, frame: int = 0
) -> str | None:
    """Why a tag that is there gives no numbers: a phrase that names it and quotes no text; None for others.

    The first place counts that holds anything, as `find` looks, bytes that are not of the tag's type among it.

    Args:
        dataset: The parsed file.
        keyword: Of the tag.
        count: How many numbers are meant; None is any.
        above: What each must be larger than.
        frame: Whose functional groups, counted from 0.
    """
    for place, where in places(dataset, frame):
        if _is_damaged(place, keyword):
            return f"{tag_name(keyword)}{where} holds bytes of another type"
        value = _value(place, keyword)
        if value is None:
            continue
        raw = value if isinstance(value, (MultiValue, list, tuple)) else [value]
        read = _finite(raw)
        if read is None:
            return f"{tag_name(keyword)}{where} holds what is no finite number"
        if count is not None and len(read) != count:
            return f"{tag_name(keyword)}{where} holds {len(read)} numbers where {count} must stand"
        low = min(read)
        return None if low > above else f"{tag_name(keyword)}{where} is {low:g}, which must be above {above:g}"
    return None


def places(dataset: Dataset, frame: int = 0) -> Iterator[tuple[Dataset, str]]:
    """Where values of a frame stand and what to call the place: its own groups, the shared ones, the top.

    Source: DICOM PS3.3 C.7.6.16 (Multi-frame Functional Groups).
    """
    for group, index, name in ((PER_FRAME, frame, f"frame {frame + 1}"), (SHARED, 0, "shared")):
        items = _value(dataset, group)
        if not isinstance(items, Sequence) or not 0 <= index < len(items):
            continue
        for element in _elements(items[index]):
            if isinstance(element.value, Sequence) and element.value:
                yield element.value[0], f" in {keyword_for_tag(element.tag) or element.tag}, {name}"
    yield dataset, ""


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
        except DICOM_DAMAGE:
            continue
        if not isinstance(element, RawDataElement):
            yield element


def _finite(raw: Iterable[object]) -> tuple[float, ...] | None:
    try:
        values = tuple(float(str(v)) for v in raw)
    except ValueError:
        return None
    return values if all(math.isfinite(v) for v in values) else None


def _is_damaged(dataset: Dataset, keyword: str) -> bool:
    """Whether a tag is there with bytes that are not of its type."""
    tag = _tag_of(keyword)
    if tag is None or tag not in dataset.keys():  # noqa: SIM118  as in _value
        return False
    try:
        dataset[tag]
    except DICOM_DAMAGE:
        return True
    return False


@cache
def _tag_of(keyword: str) -> BaseTag | None:
    number = tag_for_keyword(keyword)
    return None if number is None else Tag(number)


def _value(dataset: Dataset, keyword: str) -> object | None:
    tag = _tag_of(keyword)
    if tag is None or tag not in dataset.keys():  # noqa: SIM118  a data set's own `in` parses the tag each time
        return None
    try:
        value = dataset[tag].value
    except DICOM_DAMAGE:
        return None  # a tag whose bytes are not its type says nothing; the reader reports it as missing
    if value is None or (hasattr(value, "__len__") and len(value) == 0):  # type: ignore[arg-type]
        return None
    return value
