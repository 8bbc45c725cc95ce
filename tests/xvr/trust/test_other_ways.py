"""A failure of a picture that is the other way is explained by registering it so; distances are held against tags."""

from dataclasses import replace

import pytest
import torch
from support.registration import camera, moved, pose, shot, two_bones
from support.registrations import registration_at
from xraykit.render import Camera
from xraykit.xvr import ProcedureSettings, register_xrays
from xraykit.xvr.refine import RefinementSettings
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.structure import Structure
from xraykit.xvr.trust.other_ways import inverted, mirrored, other_ways
from xraykit.xvr.trust.stated_distance import contradicted_distance

VOLUME = two_bones()
BODY, TRUTH = Structure.of(VOLUME), pose(VOLUME)
SHOT = shot(VOLUME, TRUTH, camera(96), noise=0.005)
START = moved(TRUTH, VOLUME.center, (2.0, -1.0, 1.0), (2.0, 1.0, 4.0))
SETTINGS = RegistrationSettings(scales=(32, 96))
WORDS = {mirrored: "mirrored left to right the picture fits", inverted: "with bone and air exchanged the picture fits"}


@pytest.mark.parametrize("turned", WORDS, ids=["mirrored", "inverted"])
def test_a_picture_that_is_the_other_way_is_found_to_fit_turned(turned):
    (sentence,) = other_ways([turned(SHOT)], (BODY,), START[None], SETTINGS)
    assert sentence.startswith(WORDS[turned])
    assert ("--polarity" in sentence) == (turned is inverted)


def test_a_picture_that_fits_nowhere_fits_no_other_way_either():
    noise = replace(SHOT, image=torch.randn(SHOT.image.shape, generator=torch.Generator().manual_seed(3)))
    assert other_ways([noise], (BODY,), START[None], SETTINGS) == ()


def test_turning_twice_changes_nothing_and_the_principal_point_turns_too():
    off = replace(SHOT, camera=replace(camera(96), principal_point=(20.0, 30.0)))
    assert torch.as_tensor(mirrored(off).camera.principal_point).tolist() == [76.0, 30.0]
    for turned in WORDS:
        twice = turned(turned(off))
        assert torch.equal(twice.image, off.image)
        assert torch.as_tensor(twice.camera.principal_point).tolist() == [20.0, 30.0]


def test_the_procedure_explains_a_failure_and_leaves_a_success_alone():
    quick = ProcedureSettings(refinement=RefinementSettings(scales=(32, 96), iterations=10, spread=False))
    wrong = register_xrays([mirrored(SHOT)], VOLUME, quick, starts=START[None])
    right = register_xrays([SHOT], VOLUME, quick, starts=START[None])
    assert wrong.trust is not None and right.trust is not None
    assert (wrong.trust.verdict, right.trust.verdict) == ("failed", "trusted")
    assert wrong.trust.warnings[1].startswith(WORDS[mirrored])
    assert wrong.record.trust == wrong.trust
    assert not any("mirrored" in warning for warning in right.trust.warnings)


def test_a_distance_that_is_not_the_tags_is_said_with_both_numbers():
    near = pose(VOLUME, sod=750.0)
    at = registration_at(near[None], near, cameras=(Camera(1000.0, 64, 64, 4.0),), pivot=BODY.pivot[None])
    assert contradicted_distance(at, (SHOT,), BODY, pose(VOLUME, sod=780.0), VOLUME.center) == ()
    (sentence,) = contradicted_distance(at, (SHOT,), BODY, pose(VOLUME, sod=840.0), VOLUME.center)
    assert "840 mm from the source, the answer says 7" in sentence and "--pixel-spacing" in sentence
