"""Warps in ITK files mean the same for every voxel grid, and affine ones become the closest rigid motion."""

import math
import warnings

import pytest
import SimpleITK
import torch
from support.motions import random_poses
from xraykit.render import FileError, InputError, Volume
from xraykit.render.geometry import check_pose, rigid_inverse
from xraykit.xvr.template import read_warp, rigid_part, write_warp

F64 = torch.float64
FLIP = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=F64))


def volume(kind="RAS"):
    affine = torch.eye(4, dtype=F64)
    affine[:3, :3] = {
        "RAS": torch.eye(3, dtype=F64),
        "LAS": torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=F64)),
        "LPS": torch.diag(torch.tensor([-1.0, -1.0, 1.0], dtype=F64)),
        "oblique": random_poses(1, seed=8)[0, :3, :3],
    }[kind]
    affine[:3, 3] = torch.tensor([15.0, -40.0, 120.0])
    return Volume(torch.zeros(6, 8, 10), affine)


def lps_file(path, matrix, offset, center=(0.0, 0.0, 0.0)):
    """An ITK affine x -> A (x - c) + c + t, written by SimpleITK."""
    transform = SimpleITK.AffineTransform(matrix.flatten().tolist(), list(offset), list(center))
    SimpleITK.WriteTransform(transform, str(path))
    return path


@pytest.mark.parametrize("kind", ["RAS", "LAS", "LPS", "oblique"])
def test_a_file_is_f_m_f_whatever_the_voxel_axes(tmp_path, kind):
    """[A | -A c + t + c] between LPS worlds; the CT's grid changes nothing."""
    A, t, c = (
        random_poses(1, seed=1)[0, :3, :3],
        torch.tensor([5.0, -7.0, 30.0], dtype=F64),
        torch.tensor([1.0, 2.0, 3.0], dtype=F64),
    )
    path = lps_file(tmp_path / "warp.txt", A, t.tolist(), c.tolist())
    M = torch.eye(4, dtype=F64)
    M[:3, :3], M[:3, 3] = A, -A @ c + t + c
    torch.testing.assert_close(read_warp(path, volume(kind)), FLIP @ M @ FLIP, atol=1e-9, rtol=0)


@pytest.mark.parametrize("ending", ["tfm", "txt", "mat", "h5"])
def test_a_written_warp_comes_back_from_every_file_type(tmp_path, ending):
    warp = random_poses(1, seed=2)[0]
    write_warp(tmp_path / f"warp.{ending}", warp)
    torch.testing.assert_close(read_warp(tmp_path / f"warp.{ending}", volume()), warp, atol=1e-6, rtol=0)


def test_a_file_made_the_other_way_round_is_inverted(tmp_path):
    warp = random_poses(1, seed=3)[0]
    write_warp(tmp_path / "warp.tfm", warp)
    inverse = read_warp(tmp_path / "warp.tfm", volume(), invert=True)
    torch.testing.assert_close(inverse, rigid_inverse(warp), atol=1e-6, rtol=0)


def test_resampling_by_the_written_file_carries_the_ct_onto_the_template(tmp_path):
    """What the direction means, by SimpleITK itself: at a template point it reads the CT at warp(point)."""
    warp = random_poses(1, seed=4)[0]
    write_warp(tmp_path / "warp.tfm", warp)
    transform = SimpleITK.ReadTransform(str(tmp_path / "warp.tfm"))
    point = torch.tensor([11.0, -22.0, 33.0, 1.0], dtype=F64)
    lps = transform.TransformPoint((FLIP @ point)[:3].tolist())
    torch.testing.assert_close(torch.tensor([-lps[0], -lps[1], lps[2]], dtype=F64), (warp @ point)[:3])


def test_an_affine_file_becomes_rigid_about_the_cts_centre_and_says_so(tmp_path):
    R = random_poses(1, seed=5)[0, :3, :3]
    path = lps_file(tmp_path / "warp.txt", 1.05 * R, (10.0, 20.0, 30.0))
    with pytest.warns(UserWarning, match=r"stretches by 1\.0500.*closest one is used"):
        warp = read_warp(path, volume())
    check_pose(warp[None])
    torch.testing.assert_close(warp[:3, :3], FLIP[:3, :3] @ R @ FLIP[:3, :3], atol=1e-9, rtol=0)
    M = torch.eye(4, dtype=F64)
    M[:3, :3], M[:3, 3] = 1.05 * R, torch.tensor([10.0, 20.0, 30.0])
    center = torch.nn.functional.pad(volume().center, (0, 1), value=1.0)
    source = torch.linalg.inv(FLIP @ M @ FLIP) @ center
    torch.testing.assert_close(warp @ source, center)


def test_rigid_part_is_the_published_formula():
    """With the origin in the CT's centre: R = U V', t' = R A^-1 t."""
    M = torch.eye(4, dtype=F64)
    M[:3] += 0.2 * torch.randn(3, 4, generator=torch.Generator().manual_seed(6), dtype=F64)
    U, _, Vt = torch.linalg.svd(M[:3, :3])
    R = U @ Vt
    rigid = rigid_part(M, torch.zeros(3))
    torch.testing.assert_close(rigid[:3, :3], R)
    torch.testing.assert_close(rigid[:3, 3], R @ torch.linalg.inv(M[:3, :3]) @ M[:3, 3])


def test_a_rigid_file_gives_no_warning(tmp_path):
    write_warp(tmp_path / "warp.tfm", random_poses(1, seed=7)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_warp(tmp_path / "warp.tfm", volume())


def test_a_file_that_mirrors_is_refused(tmp_path):
    path = lps_file(tmp_path / "warp.txt", torch.diag(torch.tensor([-1.0, 1.0, 1.0])), (0.0, 0.0, 0.0))
    with pytest.raises(FileError, match="mirrors left and right"):
        read_warp(path, volume())


def test_files_that_are_no_transform_are_refused(tmp_path):
    (tmp_path / "warp.txt").write_text("hello")
    with pytest.raises(FileError, match="transform"):
        read_warp(tmp_path / "warp.txt", volume())
    with pytest.raises(FileError, match="got No such file"):
        read_warp(tmp_path / "none.tfm", volume())


def test_a_file_with_nan_is_refused(tmp_path):
    text = (
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {math.nan} 0 0 0 1 0 0 0 1 0 0 0\nFixedParameters: 0 0 0\n"
    )
    (tmp_path / "warp.txt").write_text(text)
    with pytest.raises(FileError):
        read_warp(tmp_path / "warp.txt", volume())


def test_an_ending_that_itk_does_not_know_is_refused(tmp_path):
    with pytest.raises(InputError, match="must end in"):
        write_warp(tmp_path / "warp.json", torch.eye(4))
