"""A TIFF with a page for each slice is a CT whose spacing is stated by the caller or by ImageJ."""

import numpy as np
import pytest
import SimpleITK
import torch
from PIL import Image, TiffImagePlugin
from xraykit.render import FileError, InputError, Volume
from xraykit.render.files.describe import volume_provenance

SPACING = (0.4, 0.5, 0.625)


def stack(path, voxels, *, description="", across=None, down=None):
    """Write voxels [k, j, i] as pages."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in ((270, description), (282, across), (283, down)):
        if value:
            tags[tag] = value
    pages = [Image.fromarray(page) for page in voxels]
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo=tags)
    return path


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(0, 4096, (5, 6, 7), dtype=np.uint16)


def hounsfield(volume):
    return Volume.from_hu(volume, torch.eye(4)).mu


def test_pages_without_sign_are_hounsfield_units_and_1024(tmp_path, voxels):
    path = stack(tmp_path / "bone.tif", voxels)
    found = Volume.from_file(path, voxel_spacing=SPACING)
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).astype(np.float32)  # an independent reader
    torch.testing.assert_close(found.mu, hounsfield(torch.from_numpy(theirs - 1024)))
    torch.testing.assert_close(found.spacing, torch.tensor(SPACING, dtype=found.spacing.dtype))
    assert torch.linalg.det(found.affine[:3, :3]) > 0  # LPS and RAS are both right-handed: nobody is mirrored
    assert set(found.assumptions) == {"orientation", "intercept"} and found.provenance["voxel spacing"].tag == "caller"


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_with_a_sign_are_hounsfield_units(kind, tmp_path, voxels):
    signed = voxels.astype(kind) - kind(1024)
    found = Volume.from_file(stack(tmp_path / "bone.tiff", signed), voxel_spacing=SPACING)
    torch.testing.assert_close(found.mu, hounsfield(torch.from_numpy(signed.astype(np.float32))))
    assert "intercept" not in found.assumptions


@pytest.mark.parametrize(("unit", "millimetres"), [("mm", 1.0), ("cm", 10.0), ("micron", 0.001)])
def test_spacing_that_imagej_wrote_is_taken(unit, millimetres, tmp_path, voxels):
    x, y, z = (step / millimetres for step in SPACING)
    text = f"ImageJ=1.54f\nimages=5\nslices=5\nunit={unit}\nspacing={z}\nloop=false\n"
    found = Volume.from_file(stack(tmp_path / "bone.tif", voxels, description=text, across=1 / x, down=1 / y))
    torch.testing.assert_close(found.spacing.float(), torch.tensor(SPACING), rtol=1e-4, atol=0)
    assert found.provenance["voxel spacing"].tag == "ImageJ"


def test_info_of_a_stack_says_what_is_assumed(tmp_path, voxels):
    found = volume_provenance(stack(tmp_path / "bone.tif", voxels), voxel_spacing=SPACING)
    assert found["spacing [mm]"].value == "0.4 x 0.5 x 0.625" and found["orientation"].is_assumed


def test_what_is_no_stack_is_refused_in_a_sentence(tmp_path, voxels):
    path = stack(tmp_path / "bone.tif", voxels)
    text = "ImageJ=1.54f\nunit=parsec\nspacing=1\n"
    for unknown in (path, stack(tmp_path / "far.tif", voxels, description=text, across=1.0, down=1.0)):
        with pytest.raises(FileError, match=r"5 pages without spacing; give --voxel-spacing X Y Z"):
            Volume.from_file(unknown)
    with pytest.raises(FileError, match=r"a page for each slice, got one"):
        Volume.from_file(stack(tmp_path / "one.tif", voxels[:1]), voxel_spacing=SPACING)
    with pytest.raises(FileError, match=r"16 bits or floating point, got L"):
        Volume.from_file(stack(tmp_path / "eight.tif", voxels.astype(np.uint8)), voxel_spacing=SPACING)
    (tmp_path / "cut.tif").write_bytes(path.read_bytes()[:300])
    with pytest.raises(FileError, match=r"cut\.tif must "):
        Volume.from_file(tmp_path / "cut.tif", voxel_spacing=SPACING)
    for wrong in ((1.0, 2.0), (1.0, 0.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0, 1e6)):
        with pytest.raises(InputError, match=r"three lengths from 0\.001 to 100 mm"):
            Volume.from_file(path, voxel_spacing=wrong)
    with pytest.raises(InputError, match=r"voxel_spacing is that of a TIFF stack, .* states its own"):
        Volume.from_file(_nifti(tmp_path), voxel_spacing=SPACING)


def _nifti(folder):
    SimpleITK.WriteImage(SimpleITK.Image(4, 4, 4, SimpleITK.sitkInt16), str(folder / "ct.nii.gz"))
    return folder / "ct.nii.gz"
