"""Random views look at an organ from within 60 degrees of the front, uniformly over the cap, at 65 to 120 cm."""

import numpy as np
import pytest
import torch
from xraykit.render import InputError, Volume, random_view, torso
from xraykit.render.geometry import project
from xraykit.render.views import orbit_view
from xraykit.render.views.anatomy import anatomy_of


@pytest.fixture(scope="module")
def patient():
    return torso(spacing=8.0)


@pytest.fixture(scope="module")
def plans(patient):
    rng = np.random.default_rng(0)
    return [random_view(patient, rng, size=(64, 48)) for _ in range(200)]


def test_directions_are_uniform_on_the_cap(plans):
    towards_source = -torch.stack([plan.pose[0, :3, 2] for plan in plans])
    cosine = towards_source[:, 1].sort().values
    assert 0.5 <= float(cosine[0]) and float(cosine[-1]) <= 1
    # Archimedes: on a sphere the cosine is uniform. Kolmogorov's distance, 1 percent level.
    uniform = (torch.arange(200) + 0.5) / 200
    assert float((cosine * 2 - 1 - uniform).abs().max()) < 1.63 / 200**0.5
    around = torch.atan2(towards_source[:, 2], towards_source[:, 0])
    assert float(torch.stack([around.cos().mean(), around.sin().mean()]).norm()) < 0.15


def test_distances_and_targets_are_as_promised(plans, patient):
    body = anatomy_of(patient)
    names = set(patient.label_names.values())
    assert len({plan.metadata["focus"] for plan in plans} & names) > 0.8 * len(names)  # about 1 - exp(-200 / n)
    for plan in plans:
        assert 650 <= plan.camera.sdd <= 1200
        assert 0 < plan.metadata["sod"] < plan.camera.sdd
        offset = torch.tensor(plan.metadata["isocenter"]) - body.centroid(plan.metadata["focus"])
        assert float(offset.abs().max()) <= 20
        target = torch.tensor([plan.metadata["isocenter"]], dtype=torch.float64)
        torch.testing.assert_close(
            project(target, plan.camera, plan.pose).uv[0, 0], torch.tensor([24.0, 32.0]).double()
        )
        assert plan.camera.pixel_spacing * 48 == pytest.approx(plan.metadata["field"][0])
    assert np.mean([plan.metadata["clear"] for plan in plans]) > 0.9


def test_focus_chooses_the_organ(patient):
    plan = random_view(patient, np.random.default_rng(1), focus="kidneys")
    assert set(plan.targets) == {"kidney_left", "kidney_right"}
    with pytest.raises(InputError, match="focus must be a label or group that the volume shows, got 'tail'"):
        random_view(patient, np.random.default_rng(1), focus="tail")


def test_the_same_seed_gives_the_same_view(patient):
    one, two = (random_view(patient, np.random.default_rng(5)) for _ in range(2))
    torch.testing.assert_close(one.pose, two.pose, atol=0, rtol=0)


def test_labels_of_a_few_voxels_are_no_focus(patient):
    dust = torch.zeros_like(patient.labels)
    dust[3, 3, 3] = 1
    volume = Volume(patient.mu, torch.diag(torch.tensor([1.0, 1, 1, 1])), labels=dust, label_names={1: "dust"})
    with pytest.raises(InputError, match="needs a label that fills at least"):
        random_view(volume, np.random.default_rng(0))


def test_an_orbit_looks_from_all_around_within_its_elevation(patient):
    rng = np.random.default_rng(3)
    plans = [orbit_view(patient, rng, size=(64, 48)) for _ in range(200)]
    towards_source = -torch.stack([plan.pose[0, :3, 2] for plan in plans])
    elevation = torch.rad2deg(torch.asin(towards_source[:, 2]))
    assert 20 < float(elevation.abs().max()) <= 25 + 1e-6
    azimuth = torch.atan2(towards_source[:, 0], towards_source[:, 1]).sort().values / (2 * np.pi) + 0.5
    uniform = (torch.arange(200) + 0.5) / 200
    assert float((azimuth - uniform).abs().max()) < 1.63 / 200**0.5  # Kolmogorov's distance, 1 percent level
    assert all(float(plan.pose[0, 2, 1]) < -0.9 for plan in plans)  # the patient's head is up in each image
    assert {plan.metadata["view"] for plan in plans} == {"orbit"}
    assert float(np.mean([plan.metadata["clear"] for plan in plans])) > 0.9


def test_an_orbit_keeps_its_focus_in_the_middle(patient):
    plan = orbit_view(patient, np.random.default_rng(1), size=(64, 48), focus="liver")
    target = torch.tensor([plan.metadata["isocenter"]], dtype=torch.float64)
    torch.testing.assert_close(project(target, plan.camera, plan.pose).uv[0, 0], torch.tensor([24.0, 32.0]).double())
    offset = target[0] - anatomy_of(patient).centroid("liver")
    assert float(offset.abs().max()) <= 20
    with pytest.raises(InputError, match="focus must be a label or group that the volume shows, got 'tail'"):
        orbit_view(patient, np.random.default_rng(1), focus="tail")
