"""TIFF pictures of number types that Pillow does not take or misreads: 64 bits, half floats, signed bytes.

Source: TIFF 6.0, sections 2 (structure), 8 (baseline fields) and 19 (SampleFormat).
"""

from __future__ import annotations

import mmap
import struct
import zlib
from pathlib import Path

import numpy as np

from ..errors import FileError

_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_UINT, _INT, _FLOAT = 1, 2, 3
_TYPES = {
    **{(_FLOAT, 64): "f8", (_FLOAT, 16): "f2", (_UINT, 64): "u8", (_UINT, 32): "u4"},
    **{(_INT, 64): "i8", (_INT, 8): "i1"},
}
_WIDTH, _HEIGHT, _BITS, _PACKING, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _COUNTS = 256, 257, 258, 259, 262, 273, 277, 279
_PREDICTOR, _FORMAT = 317, 339
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_PLAIN = 1
_PACKINGS = (_PLAIN, 8, 32946)  # the latter two are deflate
_MOST_PAGES = 10_000

Fields = dict[int, tuple[int, ...]]


def read_rare_tiff(path: Path, *, most_pixels: int) -> list[np.ndarray] | None:
    """The pages (rows, columns) of a TIFF of such a type, in native byte order; None for any other file.

    Args:
        path: The file.
        most_pixels: How many all pages may declare together.

    Raises:
        FileError: Colour, tiles, another compression than deflate, or more pixels than allowed.
    """
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(4))
        if order is None:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            pages = _directories(data, order)
            kinds = [(page.get(_FORMAT, (_UINT,))[0], page.get(_BITS, (1,))[0]) for page in pages]
            if not pages or any(kind not in _TYPES for kind in kinds):
                return None
            if not all(_is_plain(page) for page in pages):
                if all(kind == (_UINT, 32) for kind in kinds):
                    return None  # Pillow knows some of these
                raise FileError(
                    f"{path} holds samples of {kinds[0][1]} bits, which are read from grey strips without predictor, "
                    "plain or deflated, 0 being black; save it so, or as 16-bit integers or 32-bit floats."
                )
            if sum(page[_WIDTH][0] * page[_HEIGHT][0] for page in pages) > most_pixels:
                raise FileError(f"{path} declares more pixels than a radiograph has (over {most_pixels}); refused.")
            types = [np.dtype(order + _TYPES[kind]) for kind in kinds]
            return [_page(data, page, dtype) for page, dtype in zip(pages, types, strict=True)]


def _directories(data: mmap.mmap, order: str) -> list[Fields]:
    pages, seen = [], set()
    (at,) = struct.unpack_from(order + "I", data, 4)
    while at and at not in seen and len(pages) < _MOST_PAGES:
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        fields: Fields = {}
        for n in range(count):
            entry = at + 2 + 12 * n
            tag, kind, length = struct.unpack_from(order + "HHI", data, entry)
            if kind in _NUMBERS and length < len(data):
                form = f"{order}{length}{_NUMBERS[kind]}"
                is_inside = struct.calcsize(form) <= 4
                place = entry + 8 if is_inside else struct.unpack_from(order + "I", data, entry + 8)[0]
                fields[tag] = struct.unpack_from(form, data, place)
        pages.append(fields)
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)
    return pages


def _is_plain(fields: Fields) -> bool:
    has_one = fields.get(_SAMPLES, (1,))[0] == 1 and fields.get(_PREDICTOR, (1,))[0] == 1
    is_black_zero = fields.get(_PHOTOMETRIC, (1,))[0] == 1
    return _OFFSETS in fields and has_one and is_black_zero and fields.get(_PACKING, (_PLAIN,))[0] in _PACKINGS


def _page(data: mmap.mmap, fields: Fields, dtype: np.dtype) -> np.ndarray:
    is_packed = fields.get(_PACKING, (_PLAIN,))[0] != _PLAIN
    shape = fields[_HEIGHT][0], fields[_WIDTH][0]
    left, strips = shape[0] * shape[1] * dtype.itemsize, []
    for offset, count in zip(fields[_OFFSETS], fields[_COUNTS], strict=True):
        if left == 0:
            break
        strip = data[offset : offset + min(count, len(data))]
        strips.append(zlib.decompressobj().decompress(strip, left) if is_packed else strip[:left])
        left -= len(strips[-1])
    values = np.frombuffer(b"".join(strips), dtype, count=shape[0] * shape[1])
    return values.reshape(shape).astype(dtype.newbyteorder("="))
