"""TIFF pictures of number types that Pillow does not read, made byte by byte as TIFF 6.0 says."""

import struct
import zlib

import numpy as np
import pytest
from xraykit.render import FileError, read_radiograph

RANDOM = np.random.default_rng(5)
WHOLE = RANDOM.integers(-100, 100, (3, 50, 70))


def tiff(pages, order="<", *, strips=2, packing=1, **changes):
    """A classic TIFF of grey pages; `changes` overrule tags as t277=3."""
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for page in pages:
        parts = [part.astype(page.dtype.newbyteorder(order)).tobytes() for part in np.array_split(page, strips)]
        parts = [zlib.compress(part) if packing != 1 else part for part in parts]
        offsets = [len(out) + sum(map(len, parts[:n])) for n in range(len(parts))]
        out += b"".join(parts)
        lists = [len(out), len(out) + 4 * strips]
        out += struct.pack(f"{order}{2 * strips}I", *offsets, *map(len, parts)) if strips > 1 else b""
        single = strips == 1
        values = {
            256: (4, 1, page.shape[1]), 257: (4, 1, page.shape[0]), 258: (3, 1, 8 * page.itemsize),
            259: (3, 1, packing), 262: (3, 1, 1), 273: (4, strips, offsets[0] if single else lists[0]),
            277: (3, 1, 1), 278: (4, 1, -(-page.shape[0] // strips)),
            279: (4, strips, len(parts[0]) if single else lists[1]), 339: (3, 1, "uif".index(page.dtype.kind) + 1),
        }  # fmt: skip
        for name, value in changes.items():
            tag = int(name[1:])
            values[tag] = (*values.get(tag, (3, 1, 0))[:2], value)
        struct.pack_into(order + "I", out, link, len(out))
        out += struct.pack(order + "H", len(values))
        for tag, (kind, count, value) in sorted(values.items()):
            out += struct.pack(order + "HHI", tag, kind, count)
            out += struct.pack(order + "HH", value, 0) if kind == 3 and count == 1 else struct.pack(order + "I", value)
        link = len(out)
        out += bytes(4)
    return bytes(out)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["f8", "f2", "u8", "i8", "i1", "u4"])
@pytest.mark.parametrize(("strips", "packing"), [(1, 1), (3, 1), (1, 8), (4, 32946)])
def test_every_number_type_is_read_exactly(tmp_path, order, dtype, strips, packing):
    pages = (np.abs(WHOLE) if dtype[0] == "u" else WHOLE).astype(dtype)
    (tmp_path / "a.tif").write_bytes(tiff(pages, order, strips=strips, packing=packing))
    image = read_radiograph(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels, pages.astype(np.float32))
    assert image.polarity == ("line_integral" if dtype[0] == "f" else "log_attenuation")


@pytest.mark.parametrize("changes", [{"t277": 3}, {"t317": 2}, {"t259": 5}, {"t262": 0}])
def test_what_is_not_read_says_how_to_save_it(tmp_path, changes):
    (tmp_path / "a.tif").write_bytes(tiff(WHOLE[:1].astype("f8"), **changes))
    with pytest.raises(FileError, match=r"64 bits, which are read from grey strips .* save it so, or as 16-bit"):
        read_radiograph(tmp_path / "a.tif")


def test_declared_sizes_are_refused_before_memory_is_taken(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(WHOLE[:1].astype("f8"), t256=60_000, t257=60_000))
    with pytest.raises(FileError, match="declares more pixels than a radiograph has"):
        read_radiograph(tmp_path / "a.tif")


@pytest.mark.parametrize("packing", [1, 8])
def test_files_that_were_cut_short_or_damaged_are_refused(tmp_path, packing):
    whole = tiff(WHOLE[:2].astype("f8"), packing=packing)
    for damaged in (whole[:-6], whole[:300], tiff(WHOLE[:1].astype("f8"), packing=packing, t256=700)):
        (tmp_path / "a.tif").write_bytes(damaged)
        with pytest.raises(FileError, match="must be a whole PNG, TIFF or JPEG, got a damaged one"):
            read_radiograph(tmp_path / "a.tif")
    looped = bytearray(whole)
    (first,) = struct.unpack_from("<I", looped, 4)
    end = first + 2 + 12 * struct.unpack_from("<H", looped, first)[0]
    struct.pack_into("<I", looped, end, first)
    (tmp_path / "a.tif").write_bytes(looped)
    assert read_radiograph(tmp_path / "a.tif").n_frames == 1
