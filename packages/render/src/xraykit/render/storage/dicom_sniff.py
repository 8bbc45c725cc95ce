"""Whether a file is DICOM, by its first bytes: not every file has preamble and mark, and names say little."""

from __future__ import annotations

import struct
from pathlib import Path

MARK = b"DICM"
_FIRST_GROUPS = (0x0002, 0x0004, 0x0008)
_LAST_ELEMENT = 0x0080
"""Data sets begin with group lengths, file meta, character set or image type; all lie below."""
_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Types whose length takes four bytes, behind two empty ones (PS3.5 7.1.2)."""


def is_dicom(path: Path) -> bool:
    """Whether the file holds DICOM: the mark behind a preamble, the mark alone, or a data set from the first byte."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:] == MARK or head[:4] == MARK or _begins_a_data_set(head, path.stat().st_size)


def starts_with_mark(path: Path) -> bool:
    """Whether the preamble of 128 bytes is missing in front of the mark."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[:4] == MARK and head[128:] != MARK


def _begins_a_data_set(head: bytes, size: int) -> bool:
    """Whether two elements in ascending order, explicit or implicit, stand at the start."""
    return any(_two_elements(head, size, endian) for endian in ("<", ">"))


def _two_elements(head: bytes, size: int, endian: str) -> bool:
    at, last = 0, (0, 0)
    for n in range(2):
        if n and at + 8 > len(head):
            return True  # one element that reaches beyond what was read
        if at + 8 > len(head):
            return False
        group, element, vr = struct.unpack(endian + "HH2s", head[at : at + 6])
        if not last < (group, element) or (n == 0 and not (group in _FIRST_GROUPS and element <= _LAST_ELEMENT)):
            return False
        if vr in _LONG:
            if at + 12 > len(head):
                return n > 0
            (length,) = struct.unpack(endian + "I", head[at + 8 : at + 12])
            at += 12
        elif vr in _VR:
            (length,) = struct.unpack(endian + "H", head[at + 6 : at + 8])
            at += 8
        elif endian == ">":
            return False  # big endian is always explicit
        else:
            (length,) = struct.unpack("<I", head[at + 4 : at + 8])
            at += 8
        if length % 2 or at + length > size:
            return False
        at, last = at + length, (group, element)
    return True
