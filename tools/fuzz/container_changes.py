"""Changes inside what is packed or structured: text headers, gzip, HDF5, zip archives and the pickles in them."""

from __future__ import annotations

import gzip
import io
import pickletools
import re
import struct
import zipfile
from random import Random

from .mutations import EDGES, Mutation, change_bytes, change_text


def headed(end: bytes) -> Mutation:
    """A text header changed as text up to `end`, or what follows it as bytes."""

    def change(random: Random, data: bytes) -> bytes:
        at = data.index(end) + len(end)
        if random.random() < 0.65:
            return change_text(random, data[:at]) + data[at:]
        return data[:at] + change_bytes(random, data[at:]) if random.random() < 0.7 else change_bytes(random, data)

    return change


def gzipped(change: Mutation) -> Mutation:
    """What is packed changed before it is packed, or the packed bytes."""

    def changed(random: Random, data: bytes) -> bytes:
        if random.random() < 0.3:
            return change_bytes(random, data)
        packed = gzip.compress(change(random, gzip.decompress(data)), 1, mtime=0)
        return packed + random.choice((b"", b"", b"", b"\0\0", packed)) if random.random() < 0.9 else packed[:-5]

    return changed


def change_hdf5(random: Random, data: bytes) -> bytes:
    """Bytes near the signatures of groups, heaps and object headers, where the structure lies."""
    marks = [0, *(m.start() for m in re.finditer(rb"TREE|HEAP|SNOD|OHDR|\x01\0[\x01-\x0f]\0\x01\0\0\0", data))]
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        at, width = random.choice(marks) + random.randrange(96), random.choice((1, 1, 2, 4, 8))
        changed[at : at + width] = random.choice((*EDGES[width], random.randrange(256))).to_bytes(width, "little")
    return bytes(changed) if random.random() < 0.8 else change_bytes(random, data)


def change_archive(random: Random, data: bytes) -> bytes:
    """A member of an uncompressed zip archive changed, its pickle by opcodes, or the archive's directory."""
    if random.random() < 0.2:
        tail = len(data) - min(len(data), 3000)
        return data[:tail] + change_bytes(random, data[tail:])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    pickles = [name for name in members if name.endswith(".pkl")]
    name = pickles[0] if pickles and random.random() < 0.85 else random.choice(list(members))
    members[name] = (change_pickle if name.endswith(".pkl") else change_bytes)(random, members[name])
    if random.random() < 0.02:
        del members[random.choice(list(members))]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            spare = -(out.tell() + 34 + len(name)) % 64  # torch aligns its tensors
            entry.extra = b"FB" + struct.pack("<H", spare) + b"Z" * spare
            archive.writestr(entry, content)
    return out.getvalue()


_OPCODES = (
    *(b"0", b"1", b"2", b"(", b"t", b"]", b"}", b")", b"a", b"s", b"u", b"e", b"R", b"b", b"N", b"Q", b"\x88"),
    *(b"J\xff\xff\xff\x7f", b"M\xff\xff", b"\x8a\x09" + b"\xff" * 8 + b"\0", b"G\x7f\xf0\0\0\0\0\0\0", b"h\0"),
    *(b"X\1\0\0\0x", b"q\0", b"j\xff\xff\xff\x7f", b"cos\nsystem\n", b"cbuiltins\neval\n", b"ctorch\nSize\n"),
    *(b"ctorch\nfloat32\n", b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n"),
)  # fmt: skip


def change_pickle(random: Random, data: bytes) -> bytes:
    """Opcodes left out, doubled, exchanged or replaced."""
    if random.random() < 0.3:
        return change_bytes(random, data)
    starts = [at or 0 for _, _, at in pickletools.genops(data)]
    codes = [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
    for _ in range(random.choice((1, 1, 2, 4))):
        at, other = random.randrange(1, len(codes)), random.randrange(1, len(codes))
        match random.randrange(4):
            case 0:
                codes[at] = b""
            case 1:
                codes.insert(at, codes[other])
            case 2:
                codes[at], codes[other] = codes[other], codes[at]
            case _:
                codes.insert(at, random.choice(_OPCODES))
    return b"".join(codes)
