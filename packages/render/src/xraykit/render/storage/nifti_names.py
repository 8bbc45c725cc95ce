"""Label names that TotalSegmentator and Connectome Workbench write into NIfTI header extensions."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import escape

_ECODE_TEXT = {0, 30}  # TotalSegmentator writes its XML with code 0, Workbench (caret) with 30


def names_from_extensions(extensions: bytes, order: str) -> Mapping[int, str]:
    """The names of label values in the extension bytes of a NIfTI header; empty where there are none."""
    for code, content in _split(extensions, order):
        if code in _ECODE_TEXT and b"<LabelTable" in content:
            return _parse(content)
    return {}


def extension_with_names(label_names: Mapping[int, str]) -> bytes:
    """A little-endian caret extension that names label values, padded to the 16 bytes the format asks for."""
    labels = "".join(f'<Label Key="{value}">{escape(name)}</Label>' for value, name in sorted(label_names.items()))
    table = f'<VolumeInformation Index="0"><LabelTable>{labels}</LabelTable></VolumeInformation>'
    content = f'<?xml version="1.0" encoding="UTF-8"?><CaretExtension>{table}</CaretExtension>'.encode()
    content += b"\0" * (-(len(content) + 8) % 16)
    return struct.pack("<2i", len(content) + 8, 30) + content


def _split(extensions: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 8 <= len(extensions):
        length, code = struct.unpack_from(order + "2i", extensions, position)
        if length < 8 or position + length > len(extensions):
            return
        yield code, extensions[position + 8 : position + length]
        position += length


def _parse(content: bytes) -> Mapping[int, str]:
    # Entity definitions are the one way XML can grow without bound; a label table has none.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return {}
    try:
        root = ElementTree.fromstring(content.rstrip(b"\0 \n\r\t"))
        names = {int(label.attrib["Key"]): (label.text or "").strip() for label in root.iter("Label")}
        return {value: name for value, name in names.items() if value >= 0}
    except (ElementTree.ParseError, LookupError, ValueError):
        return {}  # names are a courtesy; voxels and geometry do not depend on them
