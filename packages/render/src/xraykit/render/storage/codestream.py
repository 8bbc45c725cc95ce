"""What a packed picture says of its own size, before anything is unpacked: JPEG, JPEG-LS and JPEG 2000."""

from __future__ import annotations

import struct
from typing import NamedTuple

from pydicom.uid import (
    JPEG2000,
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
    RLELossless,
)

_FRAMES = {0xC0: JPEGBaseline8Bit, 0xC1: JPEGExtended12Bit, 0xC3: JPEGLosslessSV1, 0xF7: JPEGLSNearLossless}
"""Start-of-frame markers, and a transfer syntax whose decoder takes what follows."""
_OTHER_FRAMES = frozenset(range(0xC2, 0xD0)) - {0xC3, 0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_J2K = b"\xff\x4f\xff\x51"
_JP2 = b"\0\0\0\x0cjP  "


class Codestream(NamedTuple):
    """What one packed frame declares."""

    rows: int
    columns: int
    samples: int
    bits: int
    syntax: UID | None
    """A transfer syntax for it, None for a kind that is not unpacked here (progressive JPEG)."""


def codestream_of(frame: bytes) -> Codestream | None:
    """The declaration at the head of a packed frame, None where there is none that is known.

    Source: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ).
    """
    at = frame.find(_J2K, 0, 1024) if frame.startswith(_JP2) else 0
    if frame[at : at + 4] == _J2K and at >= 0:
        return _jpeg_2000(frame[at:])
    if frame[:2] == b"\xff\xd8":
        return _jpeg(frame)
    return None


def is_cut_short(frame: bytes) -> bool:
    """Whether a packed frame is a JPEG-LS picture without the marker of its end: decoders look for one without end.

    Source: ITU-T T.87 C.2.1 (EOI closes every picture).
    """
    found = codestream_of(frame)
    return found is not None and found.syntax == JPEGLSNearLossless and frame.find(_END, frame.find(_SCAN)) < 0


def sniffed_syntax(frame: bytes) -> UID | None:
    """The transfer syntax that a packed frame shows by its content; None where it shows none."""
    found = codestream_of(frame)
    if found is not None:
        return found.syntax
    segments = int.from_bytes(frame[:4], "little")
    is_run_length = 1 <= segments <= 15 and frame[4:8] == b"\x40\0\0\0"  # the first segment follows the header
    return RLELossless if is_run_length else None


def _jpeg_2000(stream: bytes) -> Codestream | None:
    if len(stream) < 43:
        return None
    right, bottom, left, top = struct.unpack(">4I", stream[8:24])
    samples, bits = struct.unpack(">HB", stream[40:43])
    return Codestream(bottom - top, right - left, samples, (bits & 0x7F) + 1, JPEG2000)


def _jpeg(stream: bytes) -> Codestream | None:
    at = 2
    while at + 4 <= len(stream):
        if stream[at] != 0xFF:
            return None
        marker = stream[at + 1]
        if marker == 0xFF or marker in _ALONE:  # padding, or a marker by itself
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", stream[at + 2 : at + 4])
        if marker in _FRAMES or marker in _OTHER_FRAMES:
            if at + 10 > len(stream):
                return None
            bits, rows, columns, samples = struct.unpack(">BHHB", stream[at + 4 : at + 10])
            return Codestream(rows, columns, samples, bits, _FRAMES.get(marker))
        if marker == 0xDA or length < 2:
            return None
        at += 2 + length
    return None
