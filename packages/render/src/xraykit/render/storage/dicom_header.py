"""One DICOM file as a pydicom data set, read within bounds."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ..errors import FileError

MAX_NESTING = 32
"""Sequences inside sequences; real objects stay below ten."""

DICOM_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError),
    *(NotImplementedError, OverflowError, RuntimeError, struct.error, zlib.error),
    *(InvalidDicomError, BytesLengthException),  # the latter derives from Exception alone
)
"""What pydicom raises on damaged bytes: it documents none of them; fuzzing and its tracker show these."""


@contextmanager
def reading_dicom(path: Path, what: str) -> Iterator[None]:
    """Turn whatever pydicom raises on the damaged file `path` into a FileError about `what`, and hush its warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FileError:
        raise
    except RecursionError as error:
        raise FileError(f"{path} nests DICOM sequences deeper than {MAX_NESTING} levels; it is damaged.") from error
    except DICOM_DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise FileError(f"{path} must hold readable {what}, it is damaged ({reason}); copy it again.") from error


def is_dicom(path: Path) -> bool:
    """Whether the file carries the DICOM mark: "DICM" behind a preamble of 128 bytes."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_dicom(path: Path, *, pixels: bool = False) -> FileDataset:
    """The data set of a DICOM file; without `pixels`, reading stops in front of PixelData.

    Raises:
        FileError: The file is no DICOM, is damaged, or nests sequences deeper than `MAX_NESTING`.
    """
    if not is_dicom(path):
        raise FileError(f"{path} must be a DICOM file, the mark DICM at byte 128 is missing.")
    with reading_dicom(path, "DICOM tags"):
        meta = read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            raise FileError(f"{path} is a deflated DICOM file, whose size has no bound; save it uncompressed.")
        dataset = pydicom.dcmread(path, stop_before_pixels=not pixels)
        depth = _nesting(dataset)
    if depth > MAX_NESTING:
        raise FileError(f"{path} nests DICOM sequences deeper than {MAX_NESTING} levels; it is damaged.")
    return dataset


def tag_text(path: Path, dataset: pydicom.Dataset, keyword: str) -> str | None:
    """A tag's value as text; None where it is absent or empty."""
    with reading_dicom(path, keyword):
        value = dataset.get(keyword)
        text = "" if value is None else " ".join(str(value).split())  # one line, whatever the file holds
        return text or None


def _nesting(dataset: pydicom.Dataset) -> int:
    """Depth of the nested sequences, those included that pydicom has left as bytes."""
    deepest, waiting = 0, [(dataset, 0)]
    while waiting:
        current, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > MAX_NESTING:
            break
        waiting += [(item, depth + 1) for sequence in _sequences(current) for item in sequence]
    return deepest


def _sequences(dataset: pydicom.Dataset) -> Iterator[Sequence]:
    for tag, element in list(dataset.items()):  # .items() leaves raw elements raw
        value = element.value
        if isinstance(element, RawDataElement) and (element.VR or _vr_of(tag)) == "SQ":
            try:
                value = dataset[tag].value
            except RecursionError:
                raise
            except DICOM_DAMAGE:  # what cannot be parsed nests nothing
                continue
        if isinstance(value, Sequence):
            yield value


def _vr_of(tag: BaseTag) -> str:
    """The type of a tag in the dictionary, where the file leaves it implicit; "UN" for private ones."""
    return dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"


def transfer_syntax(dataset: FileDataset) -> UID:
    """How the pixels are packed; explicit little endian where the file does not say."""
    return UID(getattr(dataset.file_meta, "TransferSyntaxUID", ExplicitVRLittleEndian))
