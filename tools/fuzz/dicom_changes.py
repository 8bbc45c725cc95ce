"""Changes to DICOM files element by element, so that what is changed gets past the first check of a reader."""

from __future__ import annotations

import struct
from random import Random

from .mutations import change_bytes

_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
_KINDS = (
    *_LONG,
    b"AE",
    b"AT",
    b"CS",
    b"DA",
    b"DS",
    b"FL",
    b"FD",
    b"IS",
    b"LO",
    b"PN",
    b"SL",
    b"SS",
    b"UI",
    b"US",
    b"XX",
)
_TAGS = (
    *((0x28, n) for n in (0x2, 0x4, 0x8, 0x10, 0x11, 0x30, 0x100, 0x101, 0x103, 0x1040, 0x1052, 0x1053, 0x3000)),
    *((0x18, n) for n in (0x1063, 0x1110, 0x1111, 0x1114, 0x1164, 0x1510, 0x1600)),
    *(
        (0x8, 0x5),
        (0x8, 0x60),
        (0x20, 0x32),
        (0x20, 0x37),
        (0x5200, 0x9229),
        (0x5200, 0x9230),
        (0x7FE0, 0x10),
        (2, 0x10),
    ),
)
_VALUES = (
    b"", b"0 ", b"-1", b"nan ", b"inf ", b"1e999 ", b"9" * 400, b"\\", b"1\\2", b"1\\2\\3", b"1\\2\\3\\4", b"1,5 ",
    b"\0\0", b"\1\0", b"\xff\xff", b"\xff\xff\xff\xff", b"\x10\0", b"MONOCHROME1 ", b"PALETTE COLOR ", b"RGB ", b"LOG ",
    b"CT", b"XA", b"YES ", b"\x1b[31m", b"A" * 70, b"\xe9\xe9", b"ISO 2022 IR 87", b"1.2.840.10008.1.2.1.99 ",
    b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.5 ", b"1.2.840.10008.1.2.2 ",
)  # fmt: skip
_ITEM, _SEQUENCE_ENDS = b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"


def change_dicom(random: Random, data: bytes) -> bytes:
    """Elements of an explicit little-endian file left out, doubled, renamed, retyped, nested, or with other lengths."""
    parts = _elements(data)
    if not parts or random.random() < 0.25:
        return change_bytes(random, data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(parts))
        tag, kind, value, _ = parts[at]
        match random.randrange(9):
            case 0 if len(parts) > 1:
                del parts[at]
            case 1:
                parts.insert(random.randrange(len(parts)), parts[at])
            case 2:
                parts[at] = (random.choice(_TAGS), kind, value, None)
            case 3:
                parts[at] = (tag, random.choice(_KINDS), value, None)
            case 4:
                size = random.choice((0, 1, len(value) + 2, len(value) * 2, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
                parts[at] = (tag, kind, value, size)
            case 5:
                parts[at] = (tag, kind, change_bytes(random, value) if value else b"x", None)
            case 6:
                parts.insert(at, (random.choice(_TAGS), random.choice(_KINDS), random.choice(_VALUES), None))
            case 7 if random.random() < 0.2:
                parts.insert(at, ((0x40, 0x275), b"SQ", _nested(random.choice((1, 31, 33, 300))), None))
            case _:
                parts[at] = (tag, kind, random.choice(_VALUES), None)
    return data[:132] + b"".join(_element(*part) for part in parts)


def _elements(data: bytes) -> list[tuple[tuple[int, int], bytes, bytes, int | None]]:
    found, at = [], 132
    while at + 8 <= len(data):
        group, element, kind = struct.unpack_from("<HH2s", data, at)
        head = 12 if kind in _LONG else 8
        size = int.from_bytes(data[at + head - (4 if head == 12 else 2) : at + head], "little")
        size = len(data) - at - head if size == 0xFFFFFFFF else size  # only packed pixels, the last element
        if at + head + size > len(data):
            break
        found.append(((group, element), kind, data[at + head : at + head + size], None))
        at += head + size
    return found


def _element(tag: tuple[int, int], kind: bytes, value: bytes, size: int | None) -> bytes:
    size = len(value) if size is None else size
    if kind in _LONG:
        return struct.pack("<HH2sHI", *tag, kind, 0, size & 0xFFFFFFFF) + value
    return struct.pack("<HH2sH", *tag, kind, size & 0xFFFF) + value


def _nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = _ITEM + struct.pack("<HH2sHI", 0x40, 0x275, b"SQ", 0, 0xFFFFFFFF) + inner + _SEQUENCE_ENDS
    return inner
