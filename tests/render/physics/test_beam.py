"""The beam before the patient: closed forms of distance and openings, and the anode's heel."""

import math

import pytest
import torch
from xraykit.render.geometry.camera import Camera
from xraykit.render.physics.beam import heel_effect, illumination
from xraykit.render.physics.detector import Detector
from xraykit.render.physics.spectrum import Spectrum

CAMERA = Camera(sdd=1000.0, height=21, width=31, pixel_spacing=20.0)


def test_illumination_is_the_cube_of_the_cosine_and_one_on_the_central_ray():
    light = illumination(CAMERA, dtype=torch.float64)
    assert light.shape == (1, 1, 21, 31)
    assert light[0, 0, 10, 15].item() == 1.0
    radius = math.hypot(15 * 20, 10 * 20, 1000)
    assert light[0, 0, 0, 0].item() == pytest.approx((1000 / radius) ** 3)


def test_light_over_the_whole_detector_plane_is_half_of_all_that_is_emitted():
    camera = Camera(sdd=1.0, height=601, width=601, pixel_spacing=0.1)
    solid_angle = illumination(camera, dtype=torch.float64).sum().item() * 0.1**2
    # A square of half side a at distance 1 covers 4 atan(a^2 / sqrt(1 + 2 a^2)) steradian.
    assert solid_angle == pytest.approx(4 * math.atan(30.05**2 / math.sqrt(1 + 2 * 30.05**2)), rel=1e-4)


def test_illumination_follows_the_principal_point_of_each_camera():
    camera = Camera(sdd=100.0, height=5, width=5, principal_point=torch.tensor([[2.5, 2.5], [4.5, 0.5]]))
    light = illumination(camera)
    assert light.shape == (2, 1, 5, 5)
    assert light[1].flatten().argmax() == 4


def test_illumination_is_differentiable_in_the_camera():
    sdd = torch.tensor(50.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda s: illumination(Camera(sdd=s, height=2, width=3, pixel_spacing=9.0), dtype=torch.float64), sdd
    )


def test_heel_effect_dims_the_side_of_the_anode():
    for direction, side, other in ((0.0, (10, 30), (10, 0)), (90.0, (20, 15), (0, 15)), (180.0, (10, 0), (10, 30))):
        heel = heel_effect(CAMERA, Spectrum(80), anode_direction=direction, dtype=torch.float64)[0, 0]
        assert heel[side] < 0.7 < 0.98 < heel[other]
        assert heel[10, 15].item() == pytest.approx(1.0)


def test_heel_effect_agrees_with_spekpy_off_axis():
    # spekpy 2.5.4, 80 kV, 12 degrees, 2.5 mm Al, fluence at 1 m: 152.39e6 on axis; 135.39e6 at 100 mm towards the
    # anode and 157.79e6 away from it, to be corrected for the distance (1.01).
    camera = Camera(sdd=1000.0, height=1, width=3, pixel_spacing=100.0)
    panel = Detector(scintillator=None, counts="photons", blur=None)
    heel = heel_effect(camera, Spectrum(80), anode_direction=0.0, detector=panel)[0, 0, 0]
    assert heel[2].item() == pytest.approx(135.39 / 152.39 * 1.01, rel=0.02)
    assert heel[0].item() == pytest.approx(157.79 / 152.39 * 1.01, rel=0.025)


def test_behind_the_anode_it_is_dark():
    camera = Camera(sdd=100.0, height=1, width=101, pixel_spacing=1.0)
    heel = heel_effect(camera, Spectrum(80, anode_angle=10.0), anode_direction=0.0)[0, 0, 0]
    hidden = torch.arange(101) - 50 >= 100 * math.tan(math.radians(10.0))
    assert (heel[hidden] == 0).all()
    assert (heel[~hidden] > 0).all()


def test_heel_effect_is_differentiable_in_the_camera():
    sdd = torch.tensor(1000.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda s: heel_effect(
            Camera(sdd=s, height=2, width=4, pixel_spacing=37.0), Spectrum(80), anode_direction=30.0, dtype=s.dtype
        ),
        sdd,
    )
