"""PNG, TIFF and JPEG: exact values, stated colour rule, recorded assumptions, one-sentence refusals."""

import numpy as np
import pytest
from PIL import Image
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
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(FileError, match="declares more pixels than a radiograph has"):
        read_radiograph(path)


def test_pages_of_different_size_are_refused(tmp_path):
    pages = [Image.fromarray(RAMP), Image.fromarray(RAMP[:3])]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(FileError, match="pages of one size and type, got 2 that differ"):
        read_radiograph(tmp_path / "x.tif")
