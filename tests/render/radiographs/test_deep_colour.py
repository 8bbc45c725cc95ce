"""Pictures of 16 bits a channel: every bit arrives, whatever order, filter, packing and planes, or is doubted."""

import itertools

import numpy as np
import pytest
import SimpleITK
from PIL import Image, features
from support.pictures import PLANES_APART, png16, tiff16
from xraykit.render import FileError, read_radiograph

DEEP = (np.arange(48, dtype=np.uint16).reshape(6, 8) * 1361).astype(np.uint16)
GREY = np.repeat(DEEP[..., None], 3, axis=-1)
RGB = np.random.default_rng(0).integers(0, 65536, (5, 9, 3)).astype(np.uint16)
LUMA = np.rint(RGB @ np.array([0.299, 0.587, 0.114]))


def read(path, **options):
    image = read_radiograph(path, **options)
    assert not image.doubts
    return image.pixels[0].numpy()


@pytest.mark.parametrize("interlaced", [False, True])
def test_grey_in_colour_keeps_all_bits_in_png(tmp_path, interlaced):
    np.testing.assert_array_equal(read(png16(tmp_path / "x.png", GREY, interlaced=interlaced)), DEEP)


@pytest.mark.parametrize("grey", [1, 3])
def test_opacity_is_looked_at_in_all_its_bits(tmp_path, grey):
    channels = np.concatenate([GREY[..., :grey], np.full((6, 8, 1), 65535, np.uint16)], axis=-1)
    np.testing.assert_array_equal(read(png16(tmp_path / "x.png", channels)), DEEP)
    channels[0, 0, -1] = 65534
    with pytest.raises(FileError, match="must be opaque"):
        read_radiograph(png16(tmp_path / "y.png", channels))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_another_writer_of_filters_and_predictors(tmp_path, suffix):
    image = SimpleITK.GetImageFromArray(RGB, isVector=True)
    for packed in (False, True):
        SimpleITK.WriteImage(image, str(tmp_path / f"x.{suffix}"), packed)
        np.testing.assert_allclose(read(tmp_path / f"x.{suffix}", colour="luma"), LUMA, atol=0.6)


@pytest.mark.parametrize(("order", "planes", "extra"), [*itertools.product("<>", (1, PLANES_APART), (None, 0, 1, 2))])
def test_plain_tiff_of_either_byte_order_planes_and_opacity(tmp_path, order, planes, extra):
    channels = RGB if extra is None else np.concatenate([RGB, np.full_like(RGB[..., :1], 65535)], axis=-1)
    path = tiff16(tmp_path / "x.tif", channels, order=order, planes=planes, extra=extra)
    np.testing.assert_allclose(read(path, colour="luma"), LUMA, atol=0.6)


def test_turned_pictures_keep_their_bits(tmp_path):
    path = tiff16(tmp_path / "x.tif", GREY, tags=((274, 6),))
    np.testing.assert_array_equal(read(path), np.rot90(DEEP, -1))


def test_colours_are_refused_with_their_spread_of_255(tmp_path):
    with pytest.raises(FileError, match=r"must be grey, got colours .*differ by up to \d+ of 255"):
        read_radiograph(png16(tmp_path / "x.png", RGB))


def lost(path):
    image = read_radiograph(path, colour="luma")
    assert "8 are left" in image.doubts["bits"].note
    return image.pixels.numpy()


def test_bits_that_are_lost_are_doubted(tmp_path):
    packed = tiff16(tmp_path / "packed.tif", GREY, planes=PLANES_APART, deflate=True)
    np.testing.assert_allclose(lost(packed)[0], DEEP / 257, atol=1)
    several = tiff16(tmp_path / "several.tif", GREY, pages=2)
    assert lost(several).shape == (2, 6, 8)


@pytest.mark.skipif(not features.check("jpg_2000"), reason="Pillow without JPEG 2000")
def test_bits_that_jpeg_2000_loses_are_doubted(tmp_path):
    path = tmp_path / "x.jp2"
    Image.fromarray((GREY >> 8).astype(np.uint8)).save(path, irreversible=False)
    content = path.read_bytes()
    depths = content.index(b"\xff\x4f\xff\x51") + 42  # in SIZ: three times bits less one, and two steps
    assert content[depths : depths + 9 : 3] == b"\7\7\7"
    path.write_bytes(content[:depths] + b"\x0f\1\1" * 3 + content[depths + 9 :])
    assert lost(path).shape == (1, 6, 8)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.95])
def test_cut_pictures_are_refused(tmp_path, keep):
    noise = np.random.default_rng(1).integers(0, 65536, (32, 32, 3)).astype(np.uint16)
    for path in (png16(tmp_path / "x.png", noise), tiff16(tmp_path / "x.tif", noise)):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
        with pytest.raises(FileError, match="must be a whole PNG, TIFF or JPEG, got a damaged one"):
            read_radiograph(path, colour="luma")
