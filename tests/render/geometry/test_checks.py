import pytest
import torch
from xraykit.render import GeometryError, InputError, carm_pose
from xraykit.render.geometry.checks import (
    are_independent,
    check_choice,
    check_pose_shape,
    check_samples,
    common_batch,
    pose_batch,
)


def test_single_pose_becomes_a_batch_of_one() -> None:
    pose = carm_pose(sod=800.0)
    assert torch.equal(pose_batch(pose[0]), pose)
    assert pose_batch(pose) is pose


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 4), (1, 1, 4, 4)])
def test_pose_of_another_shape_is_refused_by_name(shape) -> None:
    with pytest.raises(GeometryError, match=rf"poses must be \(B, 4, 4\), got shape \({shape[0]}, .*\)"):
        check_pose_shape(torch.zeros(shape), name="poses")


def test_pose_that_is_not_rigid_is_refused_by_name() -> None:
    with pytest.raises(GeometryError, match=r"poses\[0\] must be a rigid motion"):
        pose_batch(2 * torch.eye(4), name="poses")


@pytest.mark.parametrize("lengths", [(1.0, 1.0, 1.0), (1e-9, 1.0, 1e9), (1e7, 1e7, 1e7), (1e-30, 1e-30, 1e-30)])
def test_columns_are_independent_by_their_directions_whatever_their_lengths(lengths) -> None:
    scale = torch.tensor(lengths, dtype=torch.float64)
    sheared = torch.tensor([[1.0, 0.9, 0.0], [0.0, 0.1, 0.2], [0.0, 0.0, 1.0]], dtype=torch.float64)
    assert are_independent(sheared * scale)
    parallel = sheared.clone()
    parallel[:, 1] = -parallel[:, 0]
    parallel[1, 1] += 1e-6
    assert not are_independent(parallel * scale)
    assert not are_independent(sheared * scale * scale.new_tensor([0.0, 1.0, 1.0]))


@pytest.mark.parametrize("samples", [0, -1, 2.5, True])
def test_samples_must_be_a_positive_whole_number(samples) -> None:
    with pytest.raises(InputError, match=f"positive whole number, got {samples}"):
        check_samples(samples)


def test_choice_outside_the_list_is_refused_with_the_list() -> None:
    assert check_choice("a", "letter", ("a", "b")) == "a"
    with pytest.raises(InputError, match="letter must be one of a, b, got 'c'"):
        check_choice("c", "letter", ("a", "b"))


def test_batch_of_one_goes_with_any() -> None:
    assert common_batch(pose=1, camera=3, points=3) == 3
    assert common_batch(pose=1, camera=1) == 1
    assert common_batch(pose=0, camera=1) == 0
    with pytest.raises(GeometryError, match=r"must agree or be 1, got \{'pose': 2, 'camera': 3\}"):
        common_batch(pose=2, camera=3)
