"""An SDD that is set free is found from either side; the top of a parabola is where it is, known as well as it is."""

import math

import pytest
import torch
from support.registration import camera, pose, shot, two_bones
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.freeing import OFFSETS, _top_of_parabola, freed_sdd
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.structure import Structure

SETTINGS = RegistrationSettings(scales=(64, 128), iterations=15)


def test_the_top_of_a_parabola_is_exact_and_known_without_scatter():
    top, variance = _top_of_parabola(OFFSETS, [0.9 - 3 * (x - 0.013) ** 2 for x in OFFSETS])
    assert top == pytest.approx(0.013, abs=1e-9) and variance == pytest.approx(0, abs=1e-12)


def test_its_variance_is_that_of_tops_of_scattered_points():
    generator, tops, variances = torch.Generator().manual_seed(4), [], []
    for _ in range(400):
        noise = (3e-4 * torch.randn(len(OFFSETS), generator=generator, dtype=torch.float64)).tolist()
        top, variance = _top_of_parabola(OFFSETS, [0.9 - 3 * x**2 + n for x, n in zip(OFFSETS, noise, strict=True)])
        tops.append(top)
        variances.append(variance)
    seen = float(torch.tensor(tops, dtype=torch.float64).var())
    assert sum(variances) / len(variances) == pytest.approx(seen, rel=0.25)


@pytest.mark.parametrize(("heights", "sign"), [([0.5, 0.6, 0.7, 0.8, 0.9], 1), ([0.9, 0.8, 0.75, 0.8, 0.95], 1)])
def test_without_a_top_it_lies_where_the_valley_rises(heights, sign):
    top, variance = _top_of_parabola(OFFSETS, heights)
    assert (abs(top) > OFFSETS[-1] or math.isinf(top)) and math.copysign(1, top) == sign and variance == 0


@pytest.mark.parametrize("stated", [0.975, 1.0, 1.025, 1.08])
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
    known = float(freed.lens_covariance.squeeze().sqrt())
    assert abs(freed.cameras[0].sdd_mm - 1000) < max(4 * known, 4.0), (freed.cameras[0].sdd_mm, known)
    assert known < 10
