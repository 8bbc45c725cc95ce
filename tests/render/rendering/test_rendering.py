"""The public projector: what it accepts, what it refuses and in which words, and which backend it takes."""

import pytest
import torch
from support.scenes import random_scene
from xraykit.render import (
    BackendUnavailableError,
    Camera,
    GeometryError,
    InputError,
    Volume,
    explain_backend,
    label_masks,
    render,
)


def test_the_documented_example_gives_one_channel_of_float32():
    volume, _, pose = random_scene()
    image = render(volume, Camera(sdd=103.0, height=20, width=30, pixel_spacing=2.0), pose)
    assert image.shape == (1, 1, 20, 30)
    assert image.dtype == torch.float32
    assert not image.requires_grad


def test_one_pose_may_come_without_a_batch_axis():
    volume, camera, pose = random_scene()
    assert torch.equal(render(volume, camera, pose[0]), render(volume, camera, pose))


def test_a_float32_pose_gives_the_image_of_the_same_float64_pose():
    volume, camera, pose = random_scene()
    assert torch.equal(render(volume, camera, pose.float()), render(volume, camera, pose.float().double()))


def test_double_voxels_stay_double():
    volume, camera, pose = random_scene(dtype=torch.float64)
    assert render(volume, camera, pose).dtype == torch.float64


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "raytrace"}, "method must be one of siddon, trilinear, joseph, got 'raytrace'"),
        ({"backend": "cuda"}, "backend must be one of auto, torch, numba, triton, got 'cuda'"),
        ({"samples": 0}, "samples must be a positive whole number, got 0"),
        ({"samples": 2.5}, "samples must be a positive whole number, got 2.5"),
        ({"labels": "all"}, "labels must be None, 'hard' or 'soft', got 'all'"),
        ({"chunk": 0, "backend": "torch"}, "chunk must be a positive number of rays, got 0"),
    ],
)
def test_options_outside_their_range_are_refused(options, words):
    volume, camera, pose = random_scene()
    with pytest.raises(InputError, match=words):
        render(volume, camera, pose, **options)


def test_labels_without_a_label_map_are_refused():
    volume, camera, pose = random_scene()
    bare = Volume(volume.mu, volume.affine)
    with pytest.raises(InputError, match="labels need a volume with a label map, got none"):
        render(bare, camera, pose, labels="hard")
    with pytest.raises(InputError, match="labels need a volume with a label map, got none"):
        label_masks(bare, camera, pose)


def test_a_reflection_is_no_pose():
    volume, camera, pose = random_scene()
    mirrored = pose @ torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0], dtype=pose.dtype))
    with pytest.raises(GeometryError, match="reflection"):
        render(volume, camera, mirrored)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (1, 1, 4, 4)])
def test_poses_of_another_shape_are_refused(shape):
    volume, camera, _ = random_scene()
    with pytest.raises(GeometryError, match=r"pose must be \(B, 4, 4\)"):
        render(volume, camera, torch.zeros(shape))


def test_as_many_volumes_as_poses_are_wanted():
    volume, camera, pose = random_scene(views=3)
    with pytest.raises(GeometryError, match="one volume per pose, got 2 volumes and 3 poses"):
        render([volume, volume], camera, pose)


def test_as_many_cameras_as_poses_are_wanted():
    volume, _, pose = random_scene(views=3)
    camera = Camera(sdd=torch.tensor([100.0, 110.0]), height=4, width=4)
    with pytest.raises(GeometryError, match="'pose': 3, 'camera': 2"):
        render(volume, camera, pose)


def test_a_pose_that_sees_nothing_warns_and_gives_zeros():
    volume, camera, pose = random_scene()
    away = pose.clone()
    away[:, :3, 3] += 5000.0
    with pytest.warns(UserWarning, match="no ray meets any attenuating voxel"):
        image = render(volume, camera, away)
    assert not image.any()


def test_triton_without_cuda_is_refused_with_the_reason():
    volume, camera, pose = random_scene()
    with pytest.raises(
        BackendUnavailableError, match=r"backend='triton' cannot run: triton needs volumes and meshes on cuda"
    ):
        render(volume, camera, pose, backend="triton")


def test_numba_refuses_double_precision_and_says_what_it_reads():
    volume, camera, pose = random_scene(dtype=torch.float64)
    with pytest.raises(BackendUnavailableError, match="numba reads float32, float16, bfloat16, int16, got float64"):
        render(volume, camera, pose, backend="numba")


def test_auto_takes_numba_on_the_cpu_and_torch_for_double_precision():
    assert explain_backend().startswith("auto -> numba for float32 voxels on cpu")
    assert explain_backend(dtype=torch.float64).startswith("auto -> torch for float64 voxels on cpu")


def test_integer_voxels_have_no_gradient_but_the_pose_has():
    volume, camera, pose = random_scene()
    pose = pose.requires_grad_()
    render(volume.stored_as(torch.int16), camera, pose).sum().backward()
    assert pose.grad.abs().max() > 0
