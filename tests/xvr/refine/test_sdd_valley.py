"""An SDD that is set free is found from either side, with or without metal, and known as well as it is stated."""

import math
from dataclasses import replace

import pytest
import torch
from support.registration import camera, pose, shot, target_error, two_bones
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.objective import Objective
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.sdd_valley import OFFSETS, _top_of_parabola, freed_sdd, look_over
from xraykit.xvr.refine.structure import Structure

PLACES = torch.tensor(OFFSETS, dtype=torch.float64)
SETTINGS = RegistrationSettings(scales=(64, 128), iterations=15)


def test_the_top_of_a_parabola_with_its_slopes_is_exact():
    heights, slopes = 0.9 - 3 * (PLACES - 0.013) ** 2, -6 * (PLACES - 0.013)
    assert _top_of_parabola(PLACES, heights, slopes) == (pytest.approx(0.013, abs=1e-9), pytest.approx(6.0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_without_a_top_it_lies_where_the_valley_rises(sign):
    top, bend = _top_of_parabola(PLACES, sign * PLACES + PLACES**2, sign + 2 * PLACES)
    assert top == math.copysign(math.inf, sign) and bend < 0


@pytest.mark.parametrize("stated", [0.88, 0.975, 1.0, 1.025, 1.08])
def test_one_xray_tells_the_sdd(stated):
    volume = two_bones()
    truth, body = pose(volume, sod=600.0), Structure.of(volume)
    seen = shot(volume, truth, camera(128))
    claimed = seen.__class__(seen.image, camera(128).__class__(
        sdd=1000.0 * stated, height=128, width=128, pixel_spacing=300 / 128), name="claimed")  # fmt: skip
    begin = truth.clone()
    depth = ((volume.center - begin[0, :3, 3]) * begin[0, :3, 2]).sum()
    begin[0, :3, 3] -= begin[0, :3, 2] * depth * (stated - 1)
    found = register_structures(claimed, body, begin, SETTINGS)
    freed = freed_sdd(found, (claimed,), (body,), SETTINGS)
    assert target_error(freed.poses[0, 0], truth[0], volume) < 6
    known = float(freed.lens_covariance.squeeze().sqrt())
    assert abs(freed.cameras[0].sdd_mm - 1000) < max(4 * known, 4.0), (freed.cameras[0].sdd_mm, known)
    assert known < 10


def test_what_is_known_of_it_is_what_noise_leaves():
    volume = two_bones()
    truth, body = pose(volume, sod=600.0), Structure.of(volume)
    plain = shot(volume, truth)
    found = register_structures(plain, body, truth, RegistrationSettings(scales=(64,), iterations=4))
    generator, deviations = torch.Generator().manual_seed(2), []
    for _ in range(12):
        image = plain.image + 0.1 * torch.randn(plain.image.shape, generator=generator)
        valley = look_over(found, [replace(plain, image=image)], (body,), RegistrationSettings(scales=(64,)))
        deviations.append(valley.top / math.sqrt(valley.variance))
    assert 0.4 < float(torch.tensor(deviations).square().mean().sqrt()) < 2.0, deviations


@pytest.mark.parametrize("place", [5.0, 30.0])
def test_metal_that_no_ct_shows_moves_it_less_than_half_as_far(monkeypatch, place):
    volume = two_bones()
    truth, body = pose(volume, sod=600.0), Structure.of(volume)
    plain = shot(volume, truth, camera(128), noise=0.01)
    across = torch.arange(128) - 0.4 * torch.arange(128)[:, None]
    rod = torch.exp(-((across - place) / 2.0).square())
    seen = replace(plain, image=plain.image + 2.0 * rod)
    found = register_structures(seen, body, truth, SETTINGS)
    with_trust = freed_sdd(found, (seen,), (body,), SETTINGS)
    monkeypatch.setattr(Objective, "trusting", lambda objective, _: objective)
    without = freed_sdd(found, (seen,), (body,), SETTINGS)
    wrong, worse = (abs(one.cameras[0].sdd_mm - 1000) for one in (with_trust, without))
    assert 2 * wrong < worse and wrong < 2 * float(with_trust.lens_covariance.sqrt()), (wrong, worse)
