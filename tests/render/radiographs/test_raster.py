"""PNG, TIFF and JPEG: exact values, stated colour rule, recorded assumptions, one-sentence refusals."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features
from xraykit.render import FileError, read_radiograph

RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def write(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integers_arrive_exactly(tmp_path, name, dtype):
    array = RAMP.astype(dtype) * (257 if dtype is np.uint16 else 1)
    image = read_radiograph(write(tmp_path / name, array))
    np.testing.assert_array_equal(image.pixels[0].numpy(), array)
    assert image.polarity == "log_attenuation"
    assert image.provenance["polarity"].is_assumed
    assert image.camera is None
    assert "no geometry tags" in image.provenance["camera"].note


def test_float_tiff_is_taken_as_line_integrals_and_says_so(tmp_path):
    array = np.linspace(-1, 7, 48, dtype=np.float32).reshape(6, 8)
    image = read_radiograph(write(tmp_path / "x.tiff", array))
    np.testing.assert_array_equal(image.pixels[0].numpy(), array)
    assert image.polarity == "line_integral"
    assert image.provenance["polarity"].is_assumed


def test_big_endian_sixteen_bit_tiff_is_read(tmp_path):
    header = b"MM\x00*\x00\x00\x00\x08"
    entries = [(256, 3, 1, 2 << 16), (257, 3, 1, 1 << 16), (258, 3, 1, 16 << 16), (259, 3, 1, 1 << 16)]
    entries += [(262, 3, 1, 1 << 16), (273, 4, 1, 122), (277, 3, 1, 1 << 16), (278, 3, 1, 1 << 16), (279, 4, 1, 4)]
    body = len(entries).to_bytes(2, "big")
    for tag, kind, count, value in entries:
        body += tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + count.to_bytes(4, "big") + value.to_bytes(4, "big")
    (tmp_path / "x.tif").write_bytes(header + body + b"\0" * 4 + b"\x01\x02\xff\xfe")
    np.testing.assert_array_equal(read_radiograph(tmp_path / "x.tif").pixels[0, 0].numpy(), [0x0102, 0xFFFE])


def test_pages_of_a_tiff_are_frames(tmp_path):
    pages = [Image.fromarray(RAMP + n) for n in range(3)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    image = read_radiograph(tmp_path / "x.tif")
    np.testing.assert_array_equal(image.pixels[2].numpy(), RAMP + 2)


def test_suffix_does_not_decide_the_format(tmp_path):
    write(tmp_path / "x.png", RAMP)
    (tmp_path / "x.png").rename(tmp_path / "x.dcm")
    assert read_radiograph(tmp_path / "x.dcm").pixels.shape == (1, 6, 8)


def test_grey_stored_as_colour_is_read(tmp_path):
    grey = np.repeat(RAMP[..., None], 3, -1)
    grey[..., 2] = np.minimum(grey[..., 2].astype(int) + 3, 255)
    image = read_radiograph(write(tmp_path / "x.png", grey))
    assert np.abs(image.pixels[0].numpy() - RAMP).max() <= 1
    assert read_radiograph(write(tmp_path / "x.jpg", np.repeat(RAMP[..., None], 3, -1))).pixels.shape == (1, 6, 8)


def test_colour_is_refused_unless_luma_is_asked_for(tmp_path):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    path = write(tmp_path / "x.png", red)
    with pytest.raises(FileError, match=r"must be grey, got colours .*differ by up to 200 of 255.*colour='luma'"):
        read_radiograph(path)
    assert read_radiograph(path, colour="luma").pixels[0, 0, 0].item() == round(0.299 * 200)


def test_transparent_pixels_are_refused_and_opaque_ones_are_not(tmp_path):
    rgba = np.full((4, 4, 4), 255, np.uint8)
    assert read_radiograph(write(tmp_path / "x.png", rgba)).pixels[0, 0, 0].item() == 255
    rgba[0, 0, 3] = 10
    with pytest.raises(FileError, match="must be opaque, got transparent pixels"):
        read_radiograph(write(tmp_path / "x.png", rgba))


def test_exif_orientation_is_applied_and_recorded(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # row 0 is the right side: turn clockwise
    image = read_radiograph(write(tmp_path / "x.png", RAMP, exif=exif))
    np.testing.assert_array_equal(image.pixels[0].numpy(), np.rot90(RAMP, -1))
    assert image.provenance["orientation"].note == "applied"


def test_caller_states_the_polarity(tmp_path):
    image = read_radiograph(write(tmp_path / "x.png", RAMP), polarity="inverted_intensity")
    assert image.full_scale == 255
    np.testing.assert_array_equal(image.to_intensity().pixels[0].numpy(), 255.0 - RAMP)


def test_nan_in_a_float_tiff_is_refused(tmp_path):
    array = np.zeros((3, 3), np.float32)
    array[1, 1] = np.nan
    with pytest.raises(FileError, match="must hold finite pixels, got NaN"):
        read_radiograph(write(tmp_path / "x.tif", array))


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.jpg"])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_truncated_picture_is_refused(tmp_path, name, keep):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    path = write(tmp_path / name, noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(FileError, match="must be a whole PNG, TIFF or JPEG, got a damaged one"):
        read_radiograph(path)


def test_picture_of_impossible_size_is_refused_before_it_is_decoded(tmp_path):
    path = write(tmp_path / "x.png", RAMP)
    data = bytearray(path.read_bytes())
    data[16:24] = (60000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(FileError, match="declares more pixels than a radiograph has"):
        read_radiograph(path)


def test_pages_of_different_size_are_refused(tmp_path):
    pages = [Image.fromarray(RAMP), Image.fromarray(RAMP[:3])]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(FileError, match="pages of one size and type, got 2 that differ"):
        read_radiograph(tmp_path / "x.tif")


def tiff(path, values, *, photometric, pages=1):
    """Uncompressed pages that share one strip, photometric 0 (WhiteIsZero) or 1 (BlackIsZero)."""
    rows, columns = values.shape
    data = values.tobytes()
    body, start = bytearray(b"II*\0" + bytes(4) + data + bytes(len(data) % 2)), 4
    for _ in range(pages):
        struct.pack_into("<I", body, start, len(body))
        tags = [(256, columns), (257, rows), (258, 8 * values.dtype.itemsize), (259, 1), (262, photometric), (273, 8),
                (277, 1), (278, rows), (279, len(data))]  # fmt: skip
        body += struct.pack("<H", len(tags))
        for tag, value in tags:
            body += struct.pack("<HHII", tag, 4, 1, value)
        start = len(body)
        body += bytes(4)
    path.write_bytes(bytes(body))
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_is_shown_as_viewers_show_it(tmp_path, dtype):
    shown = RAMP.astype(dtype) * (257 if dtype is np.uint16 else 1)
    image = read_radiograph(tiff(tmp_path / "x.tif", np.iinfo(dtype).max - shown, photometric=0))
    np.testing.assert_array_equal(image.pixels[0].numpy(), shown)
    assert ("photometric" in image.provenance) == (dtype is np.uint16)


@pytest.mark.parametrize("name", ["x.bmp", "x.jp2"])
def test_bmp_and_jpeg_2000_are_read(tmp_path, name):
    if name == "x.jp2" and not features.check("jpg_2000"):
        pytest.skip("Pillow was built without JPEG 2000")
    np.testing.assert_array_equal(read_radiograph(write(tmp_path / name, RAMP)).pixels[0].numpy(), RAMP)


def test_pages_that_declare_more_than_a_film_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.render.radiographs.raster.MOST_PIXELS", 100)
    monkeypatch.setattr("xraykit.render.radiographs.raster.PIXELS_PER_BYTE", 1 / 8)
    path = tiff(tmp_path / "x.tif", np.zeros((8, 10), np.uint8), photometric=1, pages=2)
    with pytest.raises(FileError, match="declares more pixels than a radiograph has"):
        read_radiograph(path)
