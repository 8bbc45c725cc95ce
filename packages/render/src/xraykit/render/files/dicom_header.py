"""One DICOM file as a pydicom data set, read within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from ..errors import FileError

MAX_NESTING = 32
"""Sequences inside sequences; real objects stay below ten."""

# What pydicom raises on damaged bytes: it documents none of them, fuzzing and its tracker show these.
PYDICOM_ERRORS = (
    *(OSError, EOFError, ValueError, TypeError, KeyError),
    *(AttributeError, NotImplementedError, OverflowError),
)


def is_dicom(path: Path) -> bool:
    """Whether the file carries the DICOM mark: "DICM" behind a preamble of 128 bytes."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_dicom(path: Path, *, pixels: bool = False) -> FileDataset:
    """The data set of a DICOM file; without `pixels`, reading stops in front of PixelData.

    Raises:
        FileError: The file is no DICOM, is damaged, or nests sequences deeper than `MAX_NESTING`.
    """
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=not pixels)
        depth = _nesting(dataset)
    except RecursionError as error:
        raise FileError(f"{path} nests DICOM sequences deeper than {MAX_NESTING} levels; it is damaged.") from error
    except InvalidDicomError as error:
        raise FileError(f"{path} must be a DICOM file, the mark DICM at byte 128 is missing.") from error
    except PYDICOM_ERRORS as error:
        raise FileError(f"{path} must be a readable DICOM file, reading it failed: {error}.") from error
    if depth > MAX_NESTING:
        raise FileError(f"{path} nests DICOM sequences deeper than {MAX_NESTING} levels; it is damaged.")
    return dataset


def _nesting(dataset: pydicom.Dataset) -> int:
    """Depth of the sequences that pydicom has parsed while reading; others stay bytes until someone asks."""
    deepest, waiting = 0, [(dataset, 0)]
    while waiting:
        current, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > MAX_NESTING:
            break
        waiting += [(item, depth + 1) for sequence in _parsed_sequences(current) for item in sequence]
    return deepest


def _parsed_sequences(dataset: pydicom.Dataset) -> Iterator[Sequence]:
    for element in dataset.values():  # .values() leaves raw elements raw
        value = getattr(element, "value", None)
        if isinstance(value, Sequence):
            yield value


def transfer_syntax(dataset: FileDataset) -> UID:
    """How the pixels are packed; explicit little endian where the file does not say."""
    return UID(getattr(dataset.file_meta, "TransferSyntaxUID", ExplicitVRLittleEndian))
