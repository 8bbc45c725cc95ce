"""Scatter bends a DRR's greys as it does an X-ray's, and a registration that knows of it ends at the truth."""

import math
from unittest import mock

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from xraykit.render import Volume
from xraykit.xvr import Shot
from xraykit.xvr.refine import registration
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.pyramid import shrunk_volume
from xraykit.xvr.refine.registration import register_structures, similarities
from xraykit.xvr.refine.scatter import USUAL, usual_ceiling, with_scatter
from xraykit.xvr.refine.structure import Structure

SETTINGS = RegistrationSettings(scales=(48, 96))


def scattered(seen: Shot, share: float) -> Shot:
    """The X-ray of line integrals with scatter all over."""
    return Shot(-torch.log(torch.exp(-seen.image) + share), seen.camera, name="scattered")


def start_of(volume, truth):
    return moved(truth, volume.center, (2, -2, 2), (3, -6, 3))


@pytest.fixture(scope="module")
def patient():
    return two_bones(finer=2)


@pytest.fixture(scope="module")
def volume(patient):
    """What a CT has of the patient whom X-rays show."""
    return shrunk_volume(patient, (2, 2, 2))


def test_greys_are_those_of_primary_and_scatter():
    lines, ceilings = torch.linspace(0, 9, 40).reshape(2, 1, 4, 5), torch.tensor([2.0, 4.0])
    greys, _, _ = with_scatter(lines, ceilings)
    share = torch.exp(-ceilings)[:, None, None, None]
    torch.testing.assert_close(greys, -torch.log(torch.exp(-lines) + share))


def test_derivatives_are_right():
    lines = torch.linspace(0, 9, 40, dtype=torch.float64).reshape(2, 1, 4, 5).requires_grad_()
    ceilings = torch.tensor([2.0, 4.0], dtype=torch.float64, requires_grad=True)
    greys, by_lines, by_ceiling = with_scatter(lines, ceilings)
    to_lines, to_ceilings = torch.autograd.grad(greys.sum(), (lines, ceilings))
    torch.testing.assert_close(by_lines, to_lines)
    torch.testing.assert_close(by_ceiling.sum(dim=(1, 2, 3)), to_ceilings)


def test_without_scatter_greys_are_line_integrals_to_the_bit():
    lines = torch.rand(1, 1, 6, 6) * 10
    greys, by_lines, by_ceiling = with_scatter(lines, torch.tensor([math.inf]))
    assert torch.equal(greys, lines) and bool((by_lines == 1).all()) and bool((by_ceiling == 0).all())


def test_it_is_looked_for_where_attenuation_is_in_nepers(volume):
    assert usual_ceiling([volume]) == USUAL
    mask = Volume((volume.mu > 0).float(), volume.affine)
    assert usual_ceiling([mask]) is None
    mean = Volume(mask.mu * 0.02, volume.affine)
    assert usual_ceiling([mean]) == USUAL
    assert usual_ceiling([mean] * 40) is None  # bodies add up


def test_an_xray_with_scatter_ends_at_the_truth(patient, volume):
    truth = pose(volume)
    seen = scattered(shot(patient, truth, camera(96), gain=1.0), 0.3)
    found = register_structures(seen, volume, start_of(volume, truth), SETTINGS)
    with mock.patch.object(registration, "expected_ceiling", return_value=None):
        without = register_structures(seen, volume, start_of(volume, truth), SETTINGS)
    after, before = (target_error(one.poses[0], truth, volume) for one in (found, without))
    assert after < before / 2, (after, before)
    assert float(found.scatter) > 0.1 and float(without.scatter) == 0
    assert found.similarity > without.similarity
    assert found.covariance.shape == (1, 6, 6) and found.lens_covariance.shape == (0, 0)


def test_each_view_has_its_own(patient, volume):
    truths = [pose(volume), pose(volume, lao_rao=80.0)]
    seen = [shot(patient, one, camera(96), gain=1.0) for one in truths]
    seen[1] = scattered(seen[1], 0.4)
    both = torch.stack(truths, dim=1)
    found = register_structures(seen, volume, start_of(volume, both), SETTINGS)
    assert float(found.scatter[1]) > 5 * float(found.scatter[0])
    assert target_error(found.poses[0, 0], truths[0][0], volume) < 1.0


def test_intrinsics_and_scatter_are_refined_together(patient, volume):
    truth = pose(volume)
    seen = scattered(shot(patient, truth, camera(96), gain=1.0), 0.2)
    settings = RegistrationSettings(scales=(48, 96), intrinsics=("principal_point",))
    found = register_structures(seen, volume, start_of(volume, truth), settings)
    assert found.lens_covariance.shape == (2, 2) and found.covariance.shape == (1, 6, 6)
    assert bool((found.lens_covariance.diagonal() > 0).all())


def test_answers_are_compared_with_the_scatter_of_each(patient, volume):
    truth, body = pose(volume), Structure.of(volume)
    seen = scattered(shot(patient, truth, camera(96), gain=1.0), 0.3)
    found = register_structures(seen, body, start_of(volume, truth), SETTINGS)
    (value,) = similarities([seen], [body], [found], SETTINGS).tolist()
    assert value == pytest.approx(found.similarity, abs=0.02)


def test_attenuation_in_other_units_is_registered_too(patient, volume):
    truth, mask = pose(volume), Volume(1000 * volume.mu_scale * volume.mu, volume.affine)
    found = register_structures(shot(patient, truth, camera(96)), mask, start_of(volume, truth), SETTINGS)
    assert target_error(found.poses[0], truth, volume) < 1.2
    assert float(found.scatter) == 0
