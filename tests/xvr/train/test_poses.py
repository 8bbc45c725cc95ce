"""Where the training looks from."""

import pytest
import torch
from support.training import quick, small_patient
from xraykit.render import Camera, InputError
from xraykit.render.geometry import PARAMETERIZATIONS, geodesic_distance
from xraykit.render.views import POSE_RANGES
from xraykit.xvr import NetworkFrame, PoseNetwork
from xraykit.xvr.train.poses import chosen_range, draw, start_in_the_middle

DETECTOR = Camera(sdd=1020.0, height=32, width=32, pixel_spacing=8.0)


def test_own_numbers_replace_those_of_the_preset(tmp_path):
    settings = quick(tmp_path, preset="femur", tx=None, tz=None, ty=None, beta=(-7.0, 3.0)).poses
    chosen, preset = chosen_range(settings), POSE_RANGES["femur"]
    assert chosen.beta == (-7.0, 3.0) and chosen.alpha == preset.alpha and chosen.ty == preset.ty


def test_equal_keys_give_equal_poses_and_others_do_not():
    center = torch.tensor([1.0, 2.0, 3.0])
    poses = [draw(POSE_RANGES["deepfluoro"], center, 3, key, DETECTOR) for key in ((0, 1, 2), (0, 1, 2), (0, 1, 3))]
    assert torch.equal(poses[0], poses[1]) and not torch.equal(poses[0], poses[2])


@pytest.mark.parametrize("parameterization", [*PARAMETERIZATIONS, "se3_log_map"])
@pytest.mark.parametrize("frame", ["centred", "template"])
def test_a_new_network_begins_in_the_middle_of_the_range(tmp_path, parameterization, frame):
    chosen = chosen_range(quick(tmp_path, beta=(-10.0, 30.0)).poses)
    numbers = NetworkFrame(sdd=1020.0, height=32, delx=8.0, frame=frame, parameterization=parameterization)
    network, patient = PoseNetwork(numbers, backbone="test_resnet", norm="default"), small_patient()
    warp = torch.eye(4) if frame == "template" else None
    start_in_the_middle(network, chosen, patient, warp)
    with torch.no_grad():
        E = numbers.extrinsic(network.rot_regression.bias[None], network.xyz_regression.bias[None])
    middle = POSE_RANGES["deepfluoro"]
    from dataclasses import replace

    middle = replace(middle, alpha=(180.0, 180.0), beta=(10.0, 10.0), gamma=(0, 0), tx=(0, 0), ty=(750, 750), tz=(0, 0))
    angle, distance = geodesic_distance(
        numbers.to_world(E.double(), patient, warp=warp), draw(middle, patient.center, 1, (0,), DETECTOR)
    )
    assert float(angle) < 0.1 and float(distance) < 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "elbow"}, "preset must be one of"),
        ({"alpha": (10.0, -10.0)}, "alpha must be a lower and an upper number"),
        ({"tx": (0.0, float("nan"))}, "tx must be"),
        ({"ty": (-5.0, 700.0)}, "must be positive"),
    ],
)
def test_impossible_ranges_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        chosen_range(quick(tmp_path, **changes).poses)
