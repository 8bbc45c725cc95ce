"""From a network's answer to starts in the patient's world, the antipode among them."""

import math

import pytest
import torch
from support.motions import random_poses
from xraykit.render import Camera, InputError, Volume
from xraykit.render.converters import diffdrr_extrinsic, from_diffdrr
from xraykit.render.geometry import check_pose
from xraykit.xvr import NetworkFrame, PoseNetwork, predict_poses
from xraykit.xvr.network import antipode, canonical_image, network_input
from xraykit.xvr.xray.shot import Shot

F64 = torch.float64
ANGLES, SHIFT = (0.5, -0.3, 0.2), (0.02, 0.8, -0.01)


def patient():
    affine = torch.diag(torch.tensor([2.0, 2.0, 3.0, 1.0], dtype=F64))
    affine[:3, 3] = torch.tensor([10.0, -150.0, 80.0])
    return Volume(torch.zeros(20, 30, 26), affine)


def shot():
    image = torch.rand(50, 40, generator=torch.Generator().manual_seed(0))
    return Shot(image, Camera(1100.0, 50, 40, 5.0, principal_point=(22.0, 24.0)))


@pytest.fixture(scope="module")
def model():
    """A network that always answers ANGLES and SHIFT (metres)."""
    frame = NetworkFrame(1020.0, 32, 8.0, parameterization="euler_angles", reverse_x_axis=False)
    network = PoseNetwork(frame, backbone="test_resnet", norm="default")
    with torch.no_grad():
        for head, numbers in ((network.rot_regression, ANGLES), (network.xyz_regression, SHIFT)):
            head.weight.zero_()
            head.bias.copy_(torch.tensor(numbers))
    return network


def view(angles):
    """camera_to_world by diffdrr's conventions alone."""
    E = diffdrr_extrinsic(torch.tensor([angles], dtype=F64), 1000 * torch.tensor([SHIFT], dtype=F64))
    numbers = {"sdd": 1020.0, "height": 32, "width": 32, "delx": 8.0}
    return from_diffdrr(E, orientation="AP", reverse_x_axis=False, **numbers, center=patient().center).pose


def test_the_answer_and_its_antipode_become_starts(model):
    starts = predict_poses(model, shot(), patient())
    assert starts.shape == (2, 1, 4, 4) and starts.dtype == F64
    torch.testing.assert_close(starts[0], view(ANGLES), atol=1e-3, rtol=0)
    a, b, c = ANGLES
    torch.testing.assert_close(starts[1], view((math.pi - a, -b, c)), atol=1e-3, rtol=0)
    check_pose(starts[:, 0])


def test_without_antipodes_there_is_one_start(model):
    assert predict_poses(model, shot(), patient(), antipodes=False).shape == (1, 1, 4, 4)


def test_the_antipode_of_the_antipode_is_the_pose():
    pose = random_poses(5, seed=3)
    torch.testing.assert_close(antipode(antipode(pose, patient()), patient()), pose, atol=1e-9, rtol=0)
    assert float((antipode(pose, patient()) - pose).abs().amax((1, 2)).min()) > 0.1


def test_an_antipode_sees_the_centre_at_the_same_pixel():
    pose = random_poses(3, seed=4)
    center = torch.nn.functional.pad(patient().center, (0, 1), value=1.0)
    first, second = (torch.linalg.inv(p) @ center for p in (pose, antipode(pose, patient())))
    torch.testing.assert_close(first.norm(dim=-1), second.norm(dim=-1))
    torch.testing.assert_close(first[:, 2].abs(), second[:, 2].abs(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("reverse", [True, False])
def test_the_image_is_mirrored_before_the_network_and_the_pose_is_not(model, reverse):
    """The same numbers give the same pose with and without the flag; only the image differs."""
    frame = NetworkFrame(1020.0, 32, 8.0, parameterization="euler_angles", reverse_x_axis=reverse)
    network = PoseNetwork(frame, backbone="test_resnet", norm="default")
    network.load_state_dict(model.state_dict())
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    starts = predict_poses(network, shot(), patient())
    torch.testing.assert_close(starts[0], view(ANGLES), atol=1e-3, rtol=0)
    plain = network_input(canonical_image(shot(), frame), NetworkFrame(1020.0, 32, 8.0))
    torch.testing.assert_close(seen[0], plain if reverse else plain.flip(-1))


def test_the_network_is_left_in_the_mode_it_was_in(model):
    for mode in (True, False):
        model.train(mode)
        predict_poses(model, shot(), patient())
        assert model.training is mode and model.backbone.training is mode


def test_a_template_network_without_warp_is_refused_before_it_runs(model):
    frame = NetworkFrame(1020.0, 32, 8.0, parameterization="euler_angles", frame="template")
    network = PoseNetwork(frame, backbone="test_resnet", norm="default")
    with pytest.raises(InputError, match="needs the warp"):
        predict_poses(network, shot(), patient())
    warp = random_poses(1, seed=1)[0]
    assert predict_poses(network, shot(), patient(), warp=warp).shape == (2, 1, 4, 4)


def test_a_network_that_answers_nan_is_refused(model):
    frame = NetworkFrame(1020.0, 32, 8.0)
    network = PoseNetwork(frame, backbone="test_resnet", norm="default")
    with torch.no_grad():
        network.xyz_regression.bias.fill_(torch.nan)
    with pytest.raises(InputError, match="pose for xray is not finite"):
        predict_poses(network, shot(), patient())
