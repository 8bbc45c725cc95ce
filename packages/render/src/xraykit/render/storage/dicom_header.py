"""One DICOM file as a pydicom data set, whatever it is wrapped in, read within bounds."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from ..errors import FileError
from .brief import brief
from .dicom_sniff import MARK, is_dicom, starts_with_mark
from .dicom_tags import DICOM_DAMAGE

MAX_NESTING = 32
"""Sequences inside sequences; real objects stay below ten."""
MAX_ITEMS = 150_000
"""Items of all sequences of one file; a file of more takes longer to parse than anyone waits."""
MAX_INFLATION = 200
"""Unpacked bytes for one packed byte; deflate and the image codecs rarely pass this, more is taken for a bomb."""
ALWAYS_ALLOWED = 1 << 24
"""Unpacked bytes that no ratio refuses: an image of nothing but air packs well."""
_ITEM = b"\xfe\xff\x00\xe0"


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
        raise _too_deep(path) from error
    except DICOM_DAMAGE as error:
        reason = brief(error, limit=120) or type(error).__name__
        raise FileError(f"{path} must hold readable {what}, it is damaged ({reason}); copy it again.") from error


def read_dicom(path: Path, *, pixels: bool = False) -> FileDataset:
    """The data set of a DICOM file; without `pixels`, reading stops in front of PixelData.

    Read are files with preamble and mark, with the mark alone, and without either (as GDCM and DCMTK write and read
    them), with or without file meta information, deflated ones within `MAX_INFLATION`. `assumed_encoding` says what
    was filled in.

    Raises:
        FileError: The file is no DICOM, is damaged, inflates too far, holds more than `MAX_ITEMS` items, or nests
            sequences deeper than `MAX_NESTING`.
    """
    if not is_dicom(path):
        raise FileError(f"{path} must be a DICOM file, got a file of another kind; convert it.")
    with reading_dicom(path, "DICOM tags"):
        source: Path | io.BytesIO = path
        if starts_with_mark(path):
            source = io.BytesIO(bytes(128) + path.read_bytes())
        _check_items(path)
        _check_inflated_size(path)
        dataset = pydicom.dcmread(source, stop_before_pixels=not pixels, force=True)
        depth = _nesting(dataset)
    if depth > MAX_NESTING:
        raise _too_deep(path)
    return dataset


def assumed_encoding(dataset: FileDataset) -> str:
    """What the file left out of its own encoding and was taken from its first bytes; "" where nothing was."""
    missing = [] if dataset.preamble else ["preamble"]
    said = getattr(dataset, "file_meta", None) or {}
    if not said:
        missing.append("file meta information")
    elif "TransferSyntaxUID" not in said:
        missing.append("Transfer Syntax UID")
    if missing in ([], ["preamble"]):
        return ", ".join(missing)
    implicit, little = dataset.original_encoding
    return f"{', '.join(missing)}: {'implicit' if implicit else 'explicit'} {'little' if little else 'big'} endian"


def tag_text(path: Path, dataset: pydicom.Dataset, keyword: str) -> str | None:
    """A tag's value as text; None where it is absent or empty."""
    with reading_dicom(path, keyword):
        value = dataset.get(keyword)
        text = "" if value is None else brief(value, limit=200)  # one line, whatever the file holds
        return text or None


def _too_deep(path: Path) -> FileError:
    return FileError(f"{path} nests DICOM sequences deeper than {MAX_NESTING} levels; it is damaged.")


def _check_items(path: Path) -> None:
    """Refuse more items than `MAX_ITEMS`, counted before pydicom makes an object of each."""
    if path.stat().st_size <= MAX_ITEMS * len(_ITEM):
        return
    count, tail = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            block = tail + chunk
            count += block.count(_ITEM)
            tail = block[-len(_ITEM) + 1 :]
            if count > MAX_ITEMS:
                raise FileError(f"{path} holds more than {MAX_ITEMS} items of DICOM sequences; refused as damaged.")


def _check_inflated_size(path: Path) -> None:
    """Refuse a deflated data set that inflates further than allowed, before pydicom holds it as a whole."""
    limit = max(path.stat().st_size * MAX_INFLATION, ALWAYS_ALLOWED)
    with path.open("rb") as file:
        head = file.read(132)
        if MARK not in (head[:4], head[128:]):
            return
        file.seek(132 if head[128:] == MARK else 4)
        meta = read_dataset(file, is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_meta)
        if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            return
        inflater, total, items = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
        chunk = file.read(1 << 16)
        while chunk and not inflater.eof:
            block = inflater.decompress(chunk, 1 << 20)
            total, items = total + len(block), items + block.count(_ITEM)
            if total > limit or items > MAX_ITEMS:
                raise FileError(f"{path} must inflate to at most {MAX_INFLATION} times its size, got more; refused.")
            chunk = inflater.unconsumed_tail or file.read(1 << 16)


def _is_past_meta(tag: BaseTag, kind: str | None, length: int) -> bool:
    return tag.group != 2


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
