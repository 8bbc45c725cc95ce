"""NIfTI: orientation, units, scaling and label names as the standard says; damage refused in one sentence."""

import gzip
import math
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.nifti import CODES, nifti_bytes, write_nifti
from xraykit.render import FileError, InputError, Volume
from xraykit.render.files.volumes import declared_grid
from xraykit.render.materials.attenuation import WATER_AND_BONE, MRPassthrough
from xraykit.render.storage.nifti import read_nifti

VOXELS = np.random.default_rng(3).integers(-1000, 2000, (4, 3, 5)).astype(np.int16)
LAS = np.array([[-1.5, 0, 0, 90], [0, 2.0, 0, -120], [0, 0, 3.0, 400], [0, 0, 0, 1]])
TILTED = np.array([[-0.7, 0.02, 0, 180], [0, 0.68, 0.6, -180], [0.01, -0.18, 2.4, 12], [0, 0, 0, 1]])


def refused(path: Path, match: str) -> None:
    with pytest.raises(FileError, match=match) as caught:
        Volume.from_file(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_a_las_volume_keeps_its_affine_and_voxel_order(tmp_path, name):
    volume = Volume.from_file(write_nifti(tmp_path / name, VOXELS, sform=LAS))
    torch.testing.assert_close(volume.affine, torch.from_numpy(LAS))
    assert torch.equal(volume.hu, torch.from_numpy(VOXELS.astype(np.float32)))
    assert torch.equal(volume.mu, WATER_AND_BONE(volume.hu))


def test_a_sheared_sform_is_read_exactly(tmp_path):
    volume = Volume.from_file(write_nifti(tmp_path / "ct.nii.gz", VOXELS, sform=TILTED))
    torch.testing.assert_close(volume.affine, torch.from_numpy(TILTED), rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", sorted(CODES))
def test_every_number_type_and_both_byte_orders_are_read(tmp_path, order, dtype):
    voxels = (np.arange(60) % 100).reshape(4, 3, 5).astype(dtype)
    volume = Volume.from_file(write_nifti(tmp_path / "ct.nii", voxels, order=order, sform=LAS))
    assert torch.equal(volume.hu, torch.from_numpy(voxels.astype(np.float32)))
    torch.testing.assert_close(volume.affine, torch.from_numpy(LAS))


@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 5)] * 3),
    flip=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_affine_agrees_with_simpleitk_on_rotated_grids(tmp_path_factory, angles, spacing, flip):
    turn = SimpleITK.Euler3DTransform((0, 0, 0), *np.radians(angles))
    direction = np.reshape(turn.GetMatrix(), (3, 3)) @ np.diag([1, 1, -1 if flip else 1])
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetDirection(direction.reshape(-1).tolist())
    image.SetSpacing(spacing)
    image.SetOrigin((12.0, -34.0, 56.0))
    path = tmp_path_factory.mktemp("nifti") / "ct.nii"
    SimpleITK.WriteImage(image, str(path))
    expected = np.diag([-1, -1, 1]) @ np.column_stack([direction * spacing, image.GetOrigin()])
    np.testing.assert_allclose(declared_grid(path).affine[:3], expected, atol=1e-4)


def test_qform_serves_where_there_is_no_sform(tmp_path):
    half = math.radians(40) / 2
    path = write_nifti(
        tmp_path / "ct.nii", VOXELS, qform=(0.0, 0.0, math.sin(half), 1, 2, 3), pixdim=(-1.0, 2.0, 3.0, 4.0)
    )
    c, s = math.cos(2 * half), math.sin(2 * half)
    expected = [[2 * c, -3 * s, 0, 1], [2 * s, 3 * c, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]]
    np.testing.assert_allclose(declared_grid(path).affine, expected, atol=1e-6)


def test_sform_wins_over_qform_and_their_difference_is_reported(tmp_path):
    path = write_nifti(tmp_path / "ct.nii", VOXELS, sform=LAS, qform=(0, 0, 0, 1, 2, 3))
    grid = declared_grid(path)
    np.testing.assert_allclose(grid.affine, LAS)
    assert grid.provenance["qform"].is_doubt
    assert "sform is used" in grid.provenance["qform"].note


@pytest.mark.parametrize(("units", "mm"), [(0, 1.0), (1, 1000.0), (2, 1.0), (3, 0.001), (2 + 8, 1.0)])
def test_spatial_units_are_honoured(tmp_path, units, mm):
    for name, place in (("s.nii", {"sform": LAS}), ("q.nii", {"qform": (0, 0, 0, 1, 2, 3), "pixdim": (1, 2, 3, 4)})):
        plain = declared_grid(write_nifti(tmp_path / name, VOXELS, **place)).affine
        scaled = declared_grid(write_nifti(tmp_path / name, VOXELS, units=units, **place)).affine
        np.testing.assert_allclose(scaled[:3], plain[:3] * mm, rtol=1e-12)


@pytest.mark.parametrize(
    ("slope", "factor"), [((2.0, -1024.0), (2, -1024)), ((0.0, 7.0), (1, 0)), ((math.nan, 0.0), (1, 0))]
)
def test_voxels_are_scaled_as_the_header_says(tmp_path, slope, factor):
    hu = Volume.from_file(write_nifti(tmp_path / "ct.nii", VOXELS, sform=LAS, slope=slope)).hu
    assert torch.equal(hu, torch.from_numpy(VOXELS.astype(np.float32) * factor[0] + factor[1]))


def test_one_time_point_is_squeezed_and_more_are_refused(tmp_path):
    volume = Volume.from_file(write_nifti(tmp_path / "one.nii", VOXELS[None], sform=LAS))
    assert volume.shape == (4, 3, 5)
    refused(
        write_nifti(tmp_path / "two.nii", np.stack([VOXELS, VOXELS]), sform=LAS),
        r"must hold one volume, it holds 5 x 3 x 4 x 2 \(time points or channels\)",
    )


def test_mr_intensities_pass_through_on_request(tmp_path):
    path = write_nifti(tmp_path / "mr.nii", VOXELS, sform=LAS)
    volume = Volume.from_file(path, modality="MR")
    assert torch.equal(volume.mu, MRPassthrough()(volume.hu))
    with pytest.raises(InputError, match="must be CT or MR, the argument says 'US'"):
        Volume.from_file(path, modality="US")


@pytest.mark.parametrize(("name", "match"), [("no.nii", "nothing by that name"), ("ct.txt", "its suffix is '.txt'")])
def test_missing_and_unknown_files_are_refused(tmp_path, name, match):
    if match != "nothing by that name":
        (tmp_path / name).write_text("x")
    refused(tmp_path / name, match)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz", "ct.nrrd", "ct.nhdr", "ct.mha", "ct.mhd"])
def test_empty_files_are_refused(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, "must hold a volume, it is empty")


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz", "ct.nrrd", "ct.nhdr", "ct.mha", "ct.mhd", "ct.dcm"])
@pytest.mark.parametrize("content", [b"\0" * 5000, b"\x1f\x8b" + b"\1" * 500, b"x\n" * 4000, bytes(range(256)) * 20])
def test_garbage_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, name)


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_every_truncation_is_refused(tmp_path, name):
    path = write_nifti(tmp_path / name, VOXELS, sform=LAS)
    content = path.read_bytes()
    for length in [*range(1, len(content), 13), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(FileError):
            Volume.from_file(path)


def test_a_header_that_promises_more_voxels_than_the_file_holds_is_refused_unread(tmp_path):
    path = write_nifti(tmp_path / "ct.nii", VOXELS, sform=LAS, dim=(3, 1200, 1200, 1200))
    with pytest.raises(
        FileError, match=r"must hold 34560003\d\d bytes of voxels as its header declares, it holds only"
    ):
        read_nifti(path)
    packed = write_nifti(tmp_path / "ct.nii.gz", VOXELS, sform=LAS, dim=(3, 1200, 1200, 1200))
    with pytest.raises(FileError, match=r"must hold 34560003\d\d bytes of voxels as its header declares"):
        read_nifti(packed)


def test_a_gzip_that_unpacks_to_too_little_is_refused(tmp_path):
    # 60 voxels are there, 90 are promised: no bound on the packed size can tell, only unpacking does.
    path = write_nifti(tmp_path / "ct.nii.gz", VOXELS, sform=LAS, dim=(3, 5, 3, 6))
    refused(path, r"must hold 180 bytes of voxels as its header declares, it holds only 120")


def test_more_bytes_than_declared_are_left_unread(tmp_path):
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes(VOXELS, sform=LAS) + b"\0" * 1_000_000))
    assert Volume.from_file(path).shape == (4, 3, 5)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"sform": np.full((3, 4), np.nan)}, "finite numbers, its sform says"),
        ({"sform": np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])}, "three independent voxel axes"),
        ({"sform": np.zeros((3, 4))}, "three independent voxel axes"),
        ({"qform": (0, 0, 0, 0, 0, 0), "pixdim": (1, 0, 1, 1)}, "three independent voxel axes"),
        ({"qform": (0.9, 0.9, 0, 0, 0, 0)}, "unit quaternion"),
        ({"qform": (np.nan, 0, 0, 0, 0, 0)}, "unit quaternion"),
        ({"sform": LAS, "units": 5}, "must measure space in m, mm or micrometres"),
        ({"sform": LAS, "slope": (1.0, np.inf)}, "finite numbers, its scl_inter is inf"),
        ({"sform": LAS, "dim": (3, 5, 0, 4)}, "three positive sizes, its header declares 5 x 0 x 4"),
        ({"sform": LAS, "dim": (3, 5, -3, 4)}, "three positive sizes, its header declares 5 x -3 x 4"),
        ({"sform": LAS, "dim": (3, 32767, 32767, 32767)}, "more than the 2147483647 that can be read"),
        ({"sform": LAS, "dim": (2, 5, 3)}, "three axes, its header declares 2"),
        ({"sform": LAS, "dim": (9, 5, 3, 4)}, "three axes, its header declares 9"),
        ({"sform": LAS, "patches": {70: struct.pack("<h", 128)}}, "its NIfTI datatype is 128"),
        ({"sform": LAS, "patches": {72: struct.pack("<h", 8)}}, "but 8 bits per voxel"),
        ({"sform": LAS, "patches": {108: struct.pack("<f", 12.0)}}, "its vox_offset is 12"),
        ({"sform": LAS, "patches": {108: struct.pack("<f", np.nan)}}, "its vox_offset is nan"),
        ({"sform": LAS, "patches": {344: b"ni1\0"}}, "must be named .hdr itself"),
        ({"sform": LAS, "patches": {344: b"\0\0\0\0"}}, "ANALYZE does not say which side is left"),
        ({"sform": LAS, "patches": {0: struct.pack("<i", 540)}}, "the 540 bytes of a NIfTI header"),
    ],
)
def test_a_bad_header_is_refused(tmp_path, options, match):
    refused(write_nifti(tmp_path / "ct.nii", VOXELS, **options), match)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_voxels_that_are_not_finite_are_refused(tmp_path, value):
    voxels = VOXELS.astype(np.float32)
    voxels[0, 1, 2] = value
    refused(write_nifti(tmp_path / "ct.nii", voxels, sform=LAS), "finite voxels, 1 are NaN or infinite")


def test_voxels_beyond_float32_are_refused(tmp_path):
    voxels = VOXELS.astype(np.float64)
    voxels[0, 0, :2] = (1e300, -1e300)
    refused(write_nifti(tmp_path / "ct.nii", voxels, sform=LAS), "finite voxels, 2 are NaN or infinite")


def test_damage_inside_the_packed_stream_is_refused(tmp_path):
    path = write_nifti(
        tmp_path / "ct.nii.gz", np.random.default_rng(0).integers(0, 99, (9, 9, 9)).astype("i2"), sform=LAS
    )
    content = bytearray(path.read_bytes())
    content[400:460] = bytes(60)
    path.write_bytes(content)
    refused(path, "readable gzip|must hold")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path):
    path = write_nifti(tmp_path / "ct.nii", VOXELS, sform=LAS)
    path.chmod(0)
    refused(path, "must be readable, the system says")
