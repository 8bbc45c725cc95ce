"""Sentences about an input that may be kept beside results: without any text of its header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydicom.datadict import dictionary_has_tag, dictionary_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ..errors import FileError
from ..storage.dicom_header import is_dicom, read_dicom, reading_dicom

WITHHELD = "[withheld]"
UID = re.compile(r"(?<![\w.])\d+(?:\.\d+){4,}(?![\w.]*\w)")
NUMBERS = ("DS", "IS", "FD", "FL", "US", "SS", "UL", "SL", "UV", "SV", "AT", "OB", "OW", "OF", "OD", "OL", "OV")
OF_THE_IMAGE = ("Modality", "PhotometricInterpretation", "PixelIntensityRelationship", "PresentationLUTShape")
"""Words of DICOM's own that say what pixels mean; sentences may name them."""
SHORTEST = 3  # characters; what is shorter names nobody, and stands in many words


def without_header_texts(sentence: str, path: Path) -> str:
    """The sentence with [withheld] for every DICOM identifier, and for every text that a header of the input holds.

    Args:
        sentence: What a reader said of the input; it may quote tags.
        path: The input, a file or a folder; one that is no DICOM, or is damaged, has no texts.
    """
    found = {text for file in _files(path) for text in _texts(file)}
    for text in sorted(found, key=len, reverse=True):
        sentence = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", WITHHELD, sentence)
    return UID.sub(WITHHELD, sentence)


def _files(path: Path) -> list[Path]:
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    return [file for file in found if file.is_file() and is_dicom(file)]


def _texts(file: Path) -> Iterator[str]:
    """Texts of all tags of a file that can be read, on one line as sentences quote them."""
    try:
        with reading_dicom(file, "DICOM tags"):
            yield from list(_texts_of(read_dicom(file)))
    except FileError:
        return


def _texts_of(dataset: Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        known = dictionary_has_tag(element.tag) and dictionary_keyword(element.tag) in OF_THE_IMAGE
        if known or element.VR in ("SQ", *NUMBERS):
            continue
        for value in element.value if isinstance(element.value, MultiValue) else [element.value or ""]:
            text = " ".join(str(value).split())
            if len(text) >= SHORTEST:
                yield text
