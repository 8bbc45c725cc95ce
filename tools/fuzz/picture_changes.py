"""Changes to PNG and TIFF that keep checksums and directories right, so that a decoder sees what is changed."""

from __future__ import annotations

import struct
import zlib
from random import Random

from .mutations import EDGES, change_bytes


def change_png(random: Random, data: bytes) -> bytes:
    """Chunks left out, doubled, renamed or changed, with right checksums."""
    if random.random() < 0.25:
        return change_bytes(random, data)
    chunks, at = [], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(chunks))
        name, body = chunks[at]
        match random.randrange(5):
            case 0 if len(chunks) > 1:
                del chunks[at]
            case 1:
                chunks.insert(random.randrange(len(chunks)), chunks[at])
            case 2:
                name = random.choice(
                    (b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"zTXt", b"acTL", b"fcTL", b"fdAT", b"eXIf")
                )
                chunks[at] = (name, body)
            case 3:
                packed = zlib.compress(b"A" * random.choice((10, 1_000_000)))
                chunks.insert(at, (random.choice((b"zTXt", b"iTXt", b"iCCP")), b"k\0\0" + packed))
            case _:
                chunks[at] = (name, change_bytes(random, body) if body else b"x")
    pieces = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return data[:8] + b"".join(pieces)


def change_tiff(random: Random, data: bytes) -> bytes:
    """Entries of the first directory with other tags, types, counts and values."""
    at = int.from_bytes(data[4:8], "little")
    if data[:4] != b"II*\0" or at + 2 > len(data) or random.random() < 0.3:
        return change_bytes(random, data)
    changed, entries = bytearray(data), int.from_bytes(data[at : at + 2], "little")
    for _ in range(random.choice((1, 1, 2, 3))):
        place = at + 2 + 12 * random.randrange(entries)
        offset, width = random.choice(((0, 2), (2, 2), (4, 4), (8, 4)))
        if offset == 0:
            value = random.choice((256, 257, 258, 259, 262, 270, 273, 274, 277, 278, 279, 317, 322, 324, 330, 338, 339))
        elif offset == 2:
            value = random.randrange(20)
        else:
            value = random.choice((*EDGES[4], 2, 3, 5, 7, at, at + 2, len(data)))
        changed[place + offset : place + offset + width] = value.to_bytes(width, "little")
    return bytes(changed)
