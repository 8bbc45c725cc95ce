"""An implant of the other side is said to be one, where views tell the sides apart."""

from dataclasses import replace

import pytest
import torch
from support.implants import QUICK, component, implant_shot, moved, second_camera, truth, twisted
from xraykit.render import InputError
from xraykit.xvr import register
from xraykit.xvr.implants.objective import RimTarget
from xraykit.xvr.implants.other_side import compare_sides, mirror_image, side_doubts

BOTH = replace(QUICK, scales=(96,), lookalikes=True, least=0.3, fit=replace(QUICK.fit, iterations=5))


@pytest.fixture(scope="module")
def scene():
    """An implant that has a side, two X-rays of it, its poses, and its mirror image."""
    implant = twisted(component().with_detail(5.0))
    first = moved(implant, truth(implant), (20.0, 15.0, -30.0), (0.0, 0.0, 0.0))
    poses = torch.stack([first, first @ second_camera()])
    shots = [implant_shot(implant, pose, name=name) for name, pose in zip("ab", poses, strict=True)]
    mirror = mirror_image(implant)
    assert mirror is not None
    return implant, shots, poses, mirror


def test_a_mirror_image_is_closed_faces_outwards_and_is_itself_when_mirrored_again(scene):
    implant, _, _, mirror = scene
    assert float(mirror.implant.mesh.volume) == pytest.approx(float(implant.mesh.volume), rel=1e-4)
    around = mirror.implant.mesh.vertices.double() - implant.pivot
    again = around @ mirror.planes[0].mT + implant.pivot
    torch.testing.assert_close(again, implant.mesh.vertices.double(), atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.linalg.det(mirror.planes), -torch.ones(4, dtype=torch.float64))


def test_a_symmetric_implant_has_no_other_side():
    assert mirror_image(component("tibial_component")) is None


@pytest.mark.slow
def test_two_views_tell_the_side(scene):
    implant, shots, poses, mirror = scene
    found = register(shots, mirror.implant, poses[None], BOTH)
    (said,) = [doubt for doubt in found.doubts if "other side" in doubt]
    assert "mirrored it fits clearly better (0." in said and "give its mesh" in said
    targets = tuple(RimTarget.of(shot, 96) for shot in shots)
    fit = compare_sides(targets, implant, mirror, poses, BOTH.fit)
    assert fit.given > 0.75 and fit.mirrored < fit.given - 0.04
    assert side_doubts(targets, implant, poses, BOTH.fit) == []


def test_what_fits_nowhere_but_mirrored_is_refused_in_these_words(scene):
    _, shots, poses, mirror = scene
    with pytest.raises(InputError, match=r"\(mirrored, 0\.\d\d: this may be the implant of the other side; give its"):
        register(shots, mirror.implant, poses[None], replace(BOTH, least=0.78))


def test_one_view_does_not_claim_to_know(scene):
    _, shots, poses, mirror = scene
    assert side_doubts((RimTarget.of(shots[0], 96),), mirror.implant, poses[:1], BOTH.fit) == []
