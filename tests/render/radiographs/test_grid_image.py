"""X-rays as MetaImage, NRRD and NIfTI: pictures of two axes and stacks, written and read by independent programs."""

import json

import numpy as np
import pytest
import SimpleITK
from xraykit.render import FileError, Volume, read_radiograph
from xraykit.render.cli.umbrella import run
from xraykit.render.radiographs import count_frames

PICTURE = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
STACK = np.stack([PICTURE, PICTURE + 7, PICTURE + 9])


def written(path, pixels, spacing, origin=None):
    """A file that ITK wrote; spacing (x, y)."""
    image = SimpleITK.GetImageFromArray(pixels)
    image.SetSpacing([*spacing, 1.0][: pixels.ndim])
    if origin is not None:
        image.SetOrigin([*origin, 0.0][: pixels.ndim])
    SimpleITK.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd", "a.nhdr", "a.nii", "a.nii.gz", "a.hdr", "a.img"])
@pytest.mark.parametrize("pixels", [PICTURE, STACK, PICTURE.astype(np.float32) / 700])
def test_what_itk_writes_is_read_as_itk_has_it(tmp_path, name, pixels):
    path = written(tmp_path / name, pixels, (0.3, 0.4))
    image = read_radiograph(path)
    np.testing.assert_array_equal(image.pixels, pixels.reshape(-1, 48, 64).astype(np.float32))
    assert image.assumptions["pixel_spacing"].value == pytest.approx((0.4, 0.3), rel=1e-6)
    assert image.polarity == ("line_integral" if pixels.dtype.kind == "f" else "log_attenuation")
    assert image.doubts == {}
    assert count_frames(path) == image.n_frames


@pytest.mark.peer
@pytest.mark.parametrize("shape", [(64, 48), (64, 48, 1), (64, 48, 1, 3)])
def test_what_nibabel_writes_is_read(tmp_path, shape):
    nibabel = pytest.importorskip("nibabel")
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([0.3, 0.4, 1, 1])), tmp_path / "a.nii")
    image = read_radiograph(tmp_path / "a.nii")
    expected = values.reshape(64, 48, -1).transpose(2, 1, 0)
    np.testing.assert_array_equal(image.pixels, expected.astype(np.float32))
    assert image.provenance["pixel_spacing"].value == pytest.approx((0.4, 0.3), rel=1e-6)


def test_a_spacing_that_the_header_does_not_state_is_missing(tmp_path):
    header = "ObjectType = Image\nNDims = 2\nDimSize = 64 48\nElementType = MET_USHORT\nElementDataFile = LOCAL\n"
    (tmp_path / "a.mha").write_bytes(header.encode() + PICTURE.tobytes())
    image = read_radiograph(tmp_path / "a.mha")
    assert image.provenance["pixel_spacing"].tag == "missing"
    np.testing.assert_array_equal(image.pixels[0], PICTURE.astype(np.float32))


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nii"])
def test_info_tells_a_picture_from_a_volume(tmp_path, capsys, name):
    path = str(written(tmp_path / name, PICTURE, (0.3, 0.4)))
    assert run(["render", "info", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["size"]["value"] == "1 x 48 x 64"
    stack = str(written(tmp_path / f"stack_{name}", STACK.astype(np.int16), (3.0, 4.0)))
    assert run(["render", "info", stack, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["size"]["value"] == "64 x 48 x 3"
    assert run(["render", "info", stack, "--frame", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["size"]["value"] == "1 x 48 x 64"


def test_damaged_and_other_files_are_refused(tmp_path):
    path = written(tmp_path / "a.mha", PICTURE, (0.3, 0.4))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FileError, match="must hold 6144 bytes of voxels"):
        read_radiograph(path)
    colour = written(tmp_path / "c.nrrd", PICTURE, (0.3, 0.4))
    with pytest.raises(FileError, match="must hold one volume of three axes"):
        Volume.from_file(colour)
    broken = written(tmp_path / "n.mha", np.full((48, 64), np.nan, np.float32), (0.3, 0.4))
    with pytest.raises(FileError, match="must hold finite pixels, got NaN"):
        read_radiograph(broken)
