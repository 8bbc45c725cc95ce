"""ITK transform files: LPS, fixed to moving, with a centre; read and written in RAS with the direction named."""

import math

import pytest
import SimpleITK
import torch
from support.motions import random_poses
from xraykit.render.converters import read_itk_transform, write_itk_transform
from xraykit.render.errors import FileError, GeometryError, InputError, OutputError
from xraykit.render.geometry import swap_ras_lps_points, transform_points

F64 = torch.float64
MOTION = random_poses(1, seed=8)[0]
ENDINGS = [".tfm", ".txt", ".mat", ".h5"]


def lps_point(transform: SimpleITK.Transform, ras: torch.Tensor) -> torch.Tensor:
    return swap_ras_lps_points(torch.tensor(transform.TransformPoint(swap_ras_lps_points(ras).tolist()), dtype=F64))


def test_a_translation_of_the_file_changes_sign_in_x_and_y(tmp_path):
    path = tmp_path / "shift.tfm"
    SimpleITK.WriteTransform(SimpleITK.TranslationTransform(3, (1.0, 2.0, 3.0)), str(path))
    matrix = read_itk_transform(path, direction="fixed_to_moving")
    assert matrix[:3, 3].tolist() == pytest.approx([-1.0, -2.0, 3.0])
    assert read_itk_transform(path, direction="moving_to_fixed")[:3, 3].tolist() == pytest.approx([1.0, 2.0, -3.0])


def test_the_centre_of_rotation_is_honoured(tmp_path):
    path = tmp_path / "turn.txt"
    turn = SimpleITK.Euler3DTransform((100.0, -50.0, 20.0), 0.3, -0.2, 0.7, (5.0, 6.0, 7.0))
    SimpleITK.WriteTransform(turn, str(path))
    point = torch.tensor([11.0, -7.0, 130.0], dtype=F64)
    mapped = transform_points(read_itk_transform(path, direction="fixed_to_moving"), point[None])[0]
    torch.testing.assert_close(mapped, lps_point(turn, point))


def test_text_as_slicer_and_ants_write_it_is_read(tmp_path):
    path = tmp_path / "slicer.tfm"
    c, s = math.cos(0.5), math.sin(0.5)
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n"
        f"Parameters: {c} {-s} 0 {s} {c} 0 0 0 1 4 5 6\nFixedParameters: 10 0 0\n"
    )
    matrix = read_itk_transform(path, direction="fixed_to_moving")
    # LPS: A = Rz(0.5), offset = t + c - A c; RAS flips x and y, which leaves a turn about z as it is.
    offset = [-(4 + 10 - 10 * c), -(5 - 10 * s), 6.0]
    expected = torch.tensor([[c, -s, 0, offset[0]], [s, c, 0, offset[1]], [0, 0, 1, 6]], dtype=F64)
    torch.testing.assert_close(matrix[:3], expected)


def test_a_chain_of_linear_transforms_is_one_matrix(tmp_path):
    path = tmp_path / "chain.h5"
    shift = SimpleITK.TranslationTransform(3, (1.0, 2.0, 3.0))
    turn = SimpleITK.VersorTransform((0.0, 0.0, 1.0), 0.4, (9.0, 8.0, 7.0))
    chain = SimpleITK.CompositeTransform([SimpleITK.Transform(shift), SimpleITK.Transform(turn)])
    SimpleITK.WriteTransform(chain, str(path))
    point = torch.tensor([11.0, -7.0, 130.0], dtype=F64)
    mapped = transform_points(read_itk_transform(path, direction="fixed_to_moving"), point[None])[0]
    torch.testing.assert_close(mapped, lps_point(chain, point))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("direction", ["fixed_to_moving", "moving_to_fixed"])
def test_round_trip_keeps_every_number(tmp_path, ending, direction):
    affine = MOTION.clone()
    affine[:3, :3] *= torch.tensor([1.1, 0.9, 1.3], dtype=F64)
    path = tmp_path / f"affine{ending}"
    write_itk_transform(path, affine, direction=direction)
    torch.testing.assert_close(read_itk_transform(path, direction=direction), affine)
    other = "moving_to_fixed" if direction == "fixed_to_moving" else "fixed_to_moving"
    torch.testing.assert_close(read_itk_transform(path, direction=other), torch.linalg.inv(affine))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("flip", [(1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (-1.0, -1.0, 1.0)], ids=["RAS", "LAS", "LPS"])
def test_the_file_resamples_a_moving_image_onto_any_voxel_grid(tmp_path, flip):
    """The trap: conjugating with the image's own axes instead of RAS to LPS fails for LAS and oblique grids."""
    fixed_axes = random_poses(1, seed=2)[0, :3, :3] * torch.tensor(flip, dtype=F64)
    fixed_point = torch.tensor([2.0, -3.0, 4.0], dtype=F64)
    fixed = SimpleITK.Image(9, 9, 9, SimpleITK.sitkFloat32)
    fixed.SetDirection((torch.diag(torch.tensor([-1.0, -1, 1], dtype=F64)) @ fixed_axes).flatten().tolist())
    corner = fixed_point - fixed_axes @ torch.full((3,), 4.0, dtype=F64)  # fixed_point is the middle voxel
    fixed.SetOrigin(swap_ras_lps_points(corner).tolist())
    moving_point = transform_points(MOTION, fixed_point[None])[0]
    moving = SimpleITK.Image(5, 5, 5, SimpleITK.sitkFloat32)
    moving.SetOrigin((swap_ras_lps_points(moving_point) - 2).tolist())
    moving[2, 2, 2] = 1.0
    path = tmp_path / "t.tfm"
    write_itk_transform(path, MOTION, direction="fixed_to_moving")
    resampled = SimpleITK.Resample(moving, fixed, SimpleITK.ReadTransform(str(path)), SimpleITK.sitkLinear, 0.0)
    assert resampled[4, 4, 4] == pytest.approx(1.0, abs=1e-5)


def test_a_moved_patient_takes_the_pose_along(tmp_path):
    """What the camera sees of the moving patient is what the moved camera sees of the fixed one."""
    path = tmp_path / "t.h5"
    write_itk_transform(path, MOTION, direction="fixed_to_moving")
    pose, point = random_poses(1, seed=6), torch.tensor([[1.0, 2.0, 3.0]], dtype=F64)
    moved = read_itk_transform(path, direction="moving_to_fixed") @ pose
    in_moving = transform_points(torch.linalg.inv(pose), transform_points(MOTION, point))
    torch.testing.assert_close(transform_points(torch.linalg.inv(moved), point), in_moving)


def test_files_that_are_no_linear_transform_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"an ITK transform file was expected at .*gone.tfm, got No such file"):
        read_itk_transform(tmp_path / "gone.tfm", direction="fixed_to_moving")
    garbage = tmp_path / "garbage.tfm"
    garbage.write_bytes(b"\x00\x01 no transform")
    with pytest.raises(FileError, match="must be a transform that ITK writes"):
        read_itk_transform(garbage, direction="fixed_to_moving")
    flat = tmp_path / "flat.tfm"
    SimpleITK.WriteTransform(SimpleITK.TranslationTransform(2, (1.0, 2.0)), str(flat))
    with pytest.raises(FileError, match="must hold a linear 3D transform, got TranslationTransform in 2D"):
        read_itk_transform(flat, direction="fixed_to_moving")
    bent = tmp_path / "bent.tfm"
    SimpleITK.WriteTransform(SimpleITK.BSplineTransform(3, 3), str(bent))
    with pytest.raises(FileError, match="must hold a linear 3D transform, got BSplineTransform"):
        read_itk_transform(bent, direction="fixed_to_moving")
    singular = tmp_path / "singular.tfm"
    text = (
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: {}\nFixedParameters: 0 0 0\n"
    )
    for flat in ("1 0 0 0 1 0 0 0 0", "1e9 3e9 0 7e8 2.1e9 0 0 0 1", "1e6 1e6 0 1e6 1000000.001 0 0 0 1", "0 " * 9):
        singular.write_text(text.format(f"{flat} 1 2 3"))
        for direction in ("fixed_to_moving", "moving_to_fixed"):
            with pytest.raises(FileError, match="must hold a finite, invertible transform"):
                read_itk_transform(singular, direction=direction)
    singular.write_text(text.format("1e-20 0 0 0 1e-20 0 0 0 1e-20 1 2 3"))
    assert read_itk_transform(singular, direction="fixed_to_moving")[0, 0] > 0
    with pytest.raises(FileError, match="must hold a transform of a patient in mm, got numbers beyond"):
        read_itk_transform(singular, direction="moving_to_fixed")


def test_wrong_arguments_write_nothing(tmp_path):
    with pytest.raises(InputError, match="direction must be fixed_to_moving or moving_to_fixed, got 'forward'"):
        write_itk_transform(tmp_path / "a.tfm", MOTION, direction="forward")
    with pytest.raises(InputError, match=r"must end in .tfm, .* got a.json"):
        write_itk_transform(tmp_path / "a.json", MOTION, direction="fixed_to_moving")
    flat = torch.diag(MOTION.new_tensor([1e9, 0.0, 1.0, 1.0]))
    flat[:2, 1] = 3 * flat[:2, 0] + flat.new_tensor([0.0, 1.0])  # its determinant is 1e9
    for bad in (MOTION * torch.nan, MOTION[:3], torch.zeros(4, 4), MOTION.T, flat):
        with pytest.raises(GeometryError, match="matrix must be a finite, invertible 4x4"):
            write_itk_transform(tmp_path / "a.tfm", bad, direction="fixed_to_moving")
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        write_itk_transform(tmp_path / "no folder" / "a.tfm", MOTION, direction="fixed_to_moving")
    assert list(tmp_path.iterdir()) == []
