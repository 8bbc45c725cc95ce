"""Written volumes come back as they were, are read alike by ITK, and appear whole or not at all."""

import numpy as np
import pytest
import SimpleITK
import torch
from xraykit.render import InputError, OutputError, Volume, write_volume
from xraykit.render.files import describe_volume
from xraykit.render.files.describe import obliqueness, orientation_code, shear
from xraykit.render.files.volumes import declared_grid

HU = np.random.default_rng(3).integers(-1000, 2000, (4, 3, 5)).astype(np.int16)
TILTED = np.array([[-0.7, 0.02, 0, 180.5], [0, 0.68, 0.6, -180.25], [0.01, -0.18, 2.4, 12], [0, 0, 0, 1]])
SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]


def turned(flip: bool) -> np.ndarray:
    turn = SimpleITK.Euler3DTransform((0, 0, 0), 0.4, -0.3, 2.8)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3)) * (0.8, 1.25, -2.5 if flip else 2.5)
    affine[:3, 3] = (12, -34, 56)
    return affine


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
def test_what_is_written_comes_back(tmp_path, suffix, dtype):
    voxels = np.abs(HU % 200).astype(dtype)
    path = write_volume(tmp_path / f"ct{suffix}", voxels, TILTED)
    volume = Volume.from_file(path)
    assert torch.equal(volume.hu, torch.from_numpy(voxels.astype(np.float32)))
    np.testing.assert_allclose(volume.affine, TILTED, atol=2e-5 if "nii" in suffix else 1e-12)
    assert declared_grid(path).read().dtype == np.dtype(dtype)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("flip", [False, True])
def test_itk_reads_the_same_grid(tmp_path, suffix, flip):
    affine = turned(flip)
    image = SimpleITK.ReadImage(str(write_volume(tmp_path / f"ct{suffix}", HU, affine)))
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    np.testing.assert_allclose(np.diag([-1, -1, 1]) @ steps, affine[:3, :3], atol=1e-5)
    np.testing.assert_allclose(np.multiply(image.GetOrigin(), (-1, -1, 1)), affine[:3, 3], atol=1e-5)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), HU)


@pytest.mark.parametrize("flip", [False, True])
def test_the_qform_alone_places_an_unsheared_grid_alike(tmp_path, flip):
    path = write_volume(tmp_path / "ct.nii", HU, turned(flip))
    content = bytearray(path.read_bytes())
    content[254:256] = b"\0\0"  # sform code
    path.write_bytes(content)
    np.testing.assert_allclose(declared_grid(path).affine, turned(flip), atol=1e-5)


def test_tensors_masks_and_halves_are_storable(tmp_path):
    path = write_volume(tmp_path / "a.nii", torch.ones(1, 2, 3, dtype=torch.bool), torch.eye(4))
    assert declared_grid(path).read().dtype == np.uint8
    path = write_volume(tmp_path / "b.nrrd", torch.ones(1, 2, 3, dtype=torch.float16), torch.eye(4))
    assert declared_grid(path).read().dtype == np.float32


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_input_gives_the_same_bytes(tmp_path, suffix):
    first, second = (write_volume(tmp_path / f"{n}{suffix}", HU, TILTED).read_bytes() for n in "ab")
    assert first == second


def test_nothing_is_left_behind_where_nothing_can_be_written(tmp_path):
    with pytest.raises(OutputError):
        write_volume(tmp_path / "missing" / "ct.nii", HU, TILTED)
    (tmp_path / "ct.nii").mkdir()
    with pytest.raises(OutputError):
        write_volume(tmp_path / "ct.nii", HU, TILTED)
    assert [path.name for path in tmp_path.iterdir()] == ["ct.nii"]


@pytest.mark.parametrize(
    ("name", "voxels", "affine", "names", "match"),
    [
        ("ct.png", HU, TILTED, None, "is written as .nii"),
        ("ct.nii", HU[0], TILTED, None, "needs voxels"),
        ("ct.nii", HU, np.eye(3), None, "finite 4x4 affine"),
        ("ct.nii", HU, np.full((4, 4), np.nan), None, "finite 4x4 affine"),
        ("ct.nii", HU.astype(complex), TILTED, None, "real numbers"),
        ("ct.nii", np.zeros((1, 1, 40000), np.uint8), TILTED, None, "at most 32767 voxels along an axis"),
        ("ct.mha", HU, TILTED, {1: "liver"}, "no place for label names"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path, name, voxels, affine, names, match):
    with pytest.raises(InputError, match=match):
        write_volume(tmp_path / name, voxels, affine, label_names=names)
    assert not list(tmp_path.iterdir())


def test_description_of_a_tilted_volume(tmp_path):
    labels = write_volume(tmp_path / "seg.nii.gz", (HU > 0).astype(np.uint8), TILTED, label_names={1: "bone"})
    rows = describe_volume(write_volume(tmp_path / "ct.nii.gz", HU, TILTED), labels=labels)
    facts = {row.field: row.value for row in rows}
    assert facts["file type"] == "NIfTI-1, gzip"
    assert facts["size"] == "5 x 3 x 4"
    assert facts["orientation"] == "LAS"
    assert float(facts["shear [deg]"]) == pytest.approx(shear(TILTED), abs=0.01)
    assert facts["affine from"] == "sform, code 1"
    assert facts["HU range"] == f"{HU.min()} to {HU.max()}"
    assert facts["modality"] == "CT"
    assert facts["labels present"] == "1"
    assert facts["label values"] == "0, 1 bone"
    assert all(row.origin for row in rows)


def test_description_without_voxels_reads_the_header_only(tmp_path):
    fields = {row.field for row in describe_volume(write_volume(tmp_path / "ct.nii", HU, TILTED), voxels=False)}
    assert "HU range" not in fields
    assert "extent [mm]" in fields


def test_angles_of_a_grid():
    turn = np.radians(20)
    rotated = np.eye(4)
    rotated[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    assert obliqueness(rotated) == pytest.approx(20)
    assert shear(rotated) == pytest.approx(0, abs=1e-9)
    sheared = np.eye(4)
    sheared[:3, 1] = (0, np.cos(turn), -np.sin(turn))
    assert shear(sheared) == pytest.approx(20)
    assert orientation_code(rotated) == "RAS"
    assert orientation_code(np.diag([-1.0, -1, 1, 1])[[1, 0, 2, 3]]) == "PLS"
