"""PNG and TIFF files of 16 bits a channel, written byte by byte."""

import struct
import zlib

import numpy as np

COLOUR_TYPES = {2: 4, 3: 2, 4: 6}  # channels to PNG colour type
PLANES_APART = 2
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column, steps of rows and columns of the seven passes (PNG 8.2)."""


def _chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(path, channels, *, interlaced=False):
    """Channels (rows, columns, 2 to 4), uint16: grey and opacity, RGB, RGB and opacity."""
    kind = COLOUR_TYPES[channels.shape[2]]
    head = struct.pack(">IIBBBBB", channels.shape[1], channels.shape[0], 16, kind, 0, 0, int(interlaced))
    passes = [channels[a::c, b::d] for a, b, c, d in _PASSES] if interlaced else [channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in passes if part.size for row in part)
    parts = [_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def tiff16(path, channels, *, order="<", planes=1, extra=None, deflate=False, pages=1, tags=()):
    """Channels (rows, columns, 3 or 4), uint16, in one strip, or in one for each plane; the pages share them.

    Args:
        path: Where to.
        channels: RGB and, with `extra`, a fourth.
        order: "<" or ">".
        planes: PlanarConfiguration.
        extra: ExtraSamples: 0 unknown, 1 and 2 opacity.
        deflate: Whether strips are packed.
        pages: How many.
        tags: More (tag, value).
    """
    rows, columns, samples = channels.shape
    parts = np.moveaxis(channels, -1, 0) if planes == PLANES_APART else [channels]
    strips = [part.astype(f"{order}u2").tobytes() for part in parts]
    strips = [zlib.compress(strip) for strip in strips] if deflate else strips
    body = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))

    def put(form, *values):
        body.extend(bytes(len(body) % 2))
        body.extend(struct.pack(order + form, *values))
        return len(body) - struct.calcsize(order + form)

    places = [put(f"{len(strip)}s", strip) for strip in strips]
    entries = {256: [columns], 257: [rows], 258: [16] * samples, 259: [8 if deflate else 1], 262: [2], 273: places}
    entries |= {277: [samples], 278: [rows], 279: [len(strip) for strip in strips], 284: [planes]}
    entries |= {338: [extra]} if extra is not None else {}
    entries |= {tag: [value] for tag, value in tags}
    far = {tag: put(f"{len(values)}I", *values) for tag, values in entries.items() if len(values) > 1}
    before = 4
    for _ in range(pages):
        place = put("H", len(entries))
        struct.pack_into(order + "I", body, before, place)
        for tag, values in sorted(entries.items()):
            body.extend(struct.pack(order + "HHII", tag, 4, len(values), far.get(tag, values[0])))
        before = len(body)
        body.extend(bytes(4))
    path.write_bytes(bytes(body))
    return path
