"""Small HDF5 files read byte by byte, every address and length checked: numbers and texts by path, nothing else."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from ..errors import FileError

Value = tuple[float, ...] | str | None
Messages = list[tuple[int, int, int]]  # type, where its content begins, how long it is

MOST_VALUES = 4096
_MOST_OBJECTS, _DEEPEST, _MOST_BLOCKS, _MOST_MESSAGES = 1024, 8, 64, 256
_SPACE, _LINK, _TYPE, _LAYOUT, _FILTERS, _CONTINUED, _SYMBOLS = 0x01, 0x06, 0x03, 0x08, 0x0B, 0x10, 0x11
_FLOAT, _TEXT, _OF_ANY_LENGTH = 1, 3, 9
_DEFLATE = 1


def parse_hdf5(data: bytes, *, source: str) -> dict[str, Value]:
    """What an HDF5 file holds, by path: floating-point arrays flattened, texts, and None for anything else.

    Read are groups of the old and of the new kind, vectors of at most 4096 numbers stored contiguous, compact or in
    chunks, plain or deflated, and texts of fixed or any length. Links out of the file are not followed.

    Args:
        data: The whole file.
        source: Where it is from, for messages.

    Raises:
        FileError: No HDF5, damaged, or of a form that only the HDF5 library reads.

    Source: HDF5 File Format Specification, version 3.0.
    """
    return dict(_File(data, source).values())


class _File:
    def __init__(self, data: bytes, source: str) -> None:
        self.data, self.source, self.objects = data, source, 0

    def values(self) -> Iterator[tuple[str, Value]]:
        """Path and value of every array below the root."""
        yield from self._below(self._root(), "", 0)

    def _below(self, address: int, path: str, depth: int) -> Iterator[tuple[str, Value]]:
        self.objects += 1
        if self.objects > _MOST_OBJECTS or depth > _DEEPEST:
            raise self._damaged("more groups than a small file has")
        messages = self._messages(address)
        kinds = {kind for kind, _, _ in messages}
        if _LAYOUT in kinds:
            yield path, self._value({kind: (at, size) for kind, at, size in messages})
        for name, child in self._members(messages):
            yield from self._below(child, f"{path}/{name}", depth + 1)

    def _root(self) -> int:
        version = self._number("B", 8)
        if self._bytes(0, 8) != b"\x89HDF\r\n\x1a\n" or version > 3:
            raise self._damaged("another signature")
        sizes, base, root = ((13, 24, 64), (13, 28, 68), (9, 12, 36), (9, 12, 36))[version]
        if self._bytes(sizes, 2) != b"\x08\x08" or self._number("Q", base):
            raise self._damaged("addresses of an unusual size")
        return self._number("Q", root)

    def _messages(self, address: int) -> Messages:
        new = self._bytes(address, 4) == b"OHDR"
        if new:
            flags = self._number("B", address + 5)
            at = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            blocks = [(at + width, int.from_bytes(self._bytes(at, width), "little"))]
        elif self._number("B", address) == 1:
            flags, blocks = 0, [(address + 16, self._number("I", address + 8))]
        else:
            raise self._damaged("no object where one is named")
        found: Messages = []
        for number, (start, length) in enumerate(blocks):  # grows as blocks name the next ones
            self._bytes(start, length)
            at, end = start, start + length
            while at + 4 <= end:
                kind, size, head = self._message_head(at, new, flags)
                if at + head + size > end:
                    break
                if kind == _CONTINUED:
                    where, long = self._number("Q", at + head), self._number("Q", at + head + 8)
                    blocks.append((where + 4, long - 8) if new else (where, long))  # signature and checksum
                found.append((kind, at + head, size))
                at += head + size
            if number > _MOST_BLOCKS or len(found) > _MOST_MESSAGES:
                raise self._damaged("an object header without end")
        return found

    def _message_head(self, at: int, new: bool, flags: int) -> tuple[int, int, int]:
        """Type, length of the content, length of the head."""
        if new:
            return self._number("B", at), self._number("H", at + 1), 6 if flags & 4 else 4
        return self._number("H", at), self._number("H", at + 2), 8

    def _members(self, messages: Messages) -> Iterator[tuple[str, int]]:
        for kind, at, _ in messages:
            if kind == _LINK:
                yield from self._link(at)
            elif kind == _SYMBOLS:
                heap = self._number("Q", self._number("Q", at + 8) + 24)
                yield from self._tree(self._number("Q", at), heap, 0)

    def _link(self, at: int) -> Iterator[tuple[str, int]]:
        flags, at = self._number("B", at + 1), at + 2
        if flags & 8 and self._number("B", at):
            return  # soft or external
        at += (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(self._bytes(at, width), "little")
        yield self._text(self._bytes(at + width, length)), self._number("Q", at + width + length)

    def _tree(self, address: int, heap: int, depth: int) -> Iterator[tuple[str, int]]:
        self.objects += 1
        if self._bytes(address, 5) != b"TREE\0" or depth > _DEEPEST or self.objects > _MOST_OBJECTS:
            raise self._damaged("a damaged list of members")
        level, count = self._number("B", address + 5), self._number("H", address + 6)
        for n in range(count):
            child = self._number("Q", address + 32 + 16 * n)
            if level:
                yield from self._tree(child, heap, depth + 1)
                continue
            self.objects += 1
            if self._bytes(child, 4) != b"SNOD" or self.objects > _MOST_OBJECTS:
                raise self._damaged("a damaged list of members")
            for entry in range(child + 8, child + 8 + 40 * self._number("H", child + 6), 40):
                name = heap + self._number("Q", entry)
                yield self._text(self._bytes(name, min(256, len(self.data) - name))), self._number("Q", entry + 8)

    def _value(self, messages: dict[int, tuple[int, int]]) -> Value:
        if not {_SPACE, _TYPE} <= messages.keys():
            raise self._damaged("an array without type or size")
        at = messages[_TYPE][0]
        kind, swapped, width = self._number("B", at) & 15, self._number("B", at + 1) & 1, self._number("I", at + 4)
        count = self._count(messages[_SPACE][0])
        if count > MOST_VALUES or width > MOST_VALUES:
            return None
        if kind == _FLOAT and width in (4, 8) and not swapped:
            packed = self._stored(messages, count * width) if count else b""
            return struct.unpack(f"<{count}{'f' if width == 4 else 'd'}", packed)
        if count == 1 and kind == _TEXT:
            return self._text(self._stored(messages, width))
        if count == 1 and kind == _OF_ANY_LENGTH and swapped and width == 16:
            length, heap, index = struct.unpack("<IQI", self._stored(messages, 16))
            return self._text(self._in_heap(heap, index)[:length])
        return None

    def _count(self, at: int) -> int:
        version, rank = self._number("B", at), self._number("B", at + 1)
        first, count = at + (8 if version == 1 else 4), 1
        for n in range(rank):
            count *= self._number("Q", first + 8 * n)
        return count

    def _stored(self, messages: dict[int, tuple[int, int]], size: int) -> bytes:
        at = messages[_LAYOUT][0]
        version, kind = self._number("B", at), self._number("B", at + 1)
        if version != 3 or kind > 2:
            raise self._damaged("a storage that only the HDF5 library reads")
        if kind == 0:
            return self._bytes(at + 4, size)
        if kind == 1:
            return self._bytes(self._number("Q", at + 2), size)
        return self._chunk(at, messages, size)

    def _chunk(self, at: int, messages: dict[int, tuple[int, int]], size: int) -> bytes:
        """A vector in one chunk, the only way ITK writes them."""
        tree = self._number("Q", at + 3)
        if self._number("B", at + 2) != 2 or self._bytes(tree, 6) != b"TREE\1\0" or self._number("H", tree + 6) != 1:
            raise self._damaged("more than one chunk")
        long, skipped = self._number("I", tree + 24), self._number("I", tree + 28)
        packed = self._bytes(self._number("Q", tree + 48), long)
        if _FILTERS in messages and not skipped:
            self._check_filter(messages[_FILTERS][0])
            try:
                packed = zlib.decompressobj().decompress(packed, size + 1)
            except zlib.error as error:
                raise self._damaged("packed numbers that do not unpack") from error
        if len(packed) < size:
            raise self._damaged("fewer numbers than it declares")
        return packed[:size]

    def _check_filter(self, at: int) -> None:
        version, count = self._number("B", at), self._number("B", at + 1)
        if count != 1 or self._number("H", at + (8 if version == 1 else 2)) != _DEFLATE:
            raise self._damaged("a packing other than deflate")

    def _in_heap(self, address: int, wanted: int) -> bytes:
        """An object of a global heap."""
        if self._bytes(address, 4) != b"GCOL":
            raise self._damaged("a text that leads nowhere")
        at = address + 16
        for _ in range(_MOST_MESSAGES):
            index, size = self._number("H", at), self._number("Q", at + 8)
            if index == wanted:
                return self._bytes(at + 16, size)
            at += 16 + (size + 7) // 8 * 8
        raise self._damaged("a text that leads nowhere")

    def _bytes(self, at: int, count: int) -> bytes:
        if at < 0 or count < 0 or at + count > len(self.data):
            raise self._damaged("an address beyond its end")
        return self.data[at : at + count]

    def _number(self, kind: str, at: int) -> int:
        size = struct.calcsize(kind)
        return int.from_bytes(self._bytes(at, size), "little")

    def _text(self, raw: bytes) -> str:
        return raw.partition(b"\0")[0].decode("utf-8", "replace")

    def _damaged(self, what: str) -> FileError:
        return FileError(f"{self.source} must be a whole, plain HDF5 file, got {what}; save it again or as text.")
