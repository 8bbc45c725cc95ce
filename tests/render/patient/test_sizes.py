"""Volumes and densities of a procedural trunk lie where those of adults do, and change with age and build."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from xraykit.render import PatientSettings, generate_patient
from xraykit.render.patient import FindingSettings
from xraykit.render.patient.body.joint_angles import Posture
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import Skeleton
from xraykit.render.patient.canvas import Canvas, Region, ellipsoid
from xraykit.render.patient.texture import fat_streaks
from xraykit.render.patient.trunk.fit import OrganShape, growth, swollen

HEALTHY = FindingSettings(0, 0, 0, 0, 0, 0)
BOX = ((-100.0, -100.0, -100.0), (100.0, 100.0, 100.0))


def person(seed: int, **asked) -> dict[str, tuple[float, float]]:
    """Volume [ml] and mean HU of every label of a person's abdomen."""
    settings = PatientSettings(size=80, findings=HEALTHY, **asked)
    volume = generate_patient(seed=seed, region="abdomen_pelvis", settings=settings).volume
    assert volume.labels is not None
    labels, hu = volume.labels.reshape(-1), volume.hu.reshape(-1)
    count, total = torch.bincount(labels), torch.bincount(labels, weights=hu)
    voxel = float(abs(torch.linalg.det(volume.affine[:3, :3]))) / 1000
    return {
        name: (float(count[value]) * voxel, float(total[value] / count[value]))
        for value, name in volume.label_names.items()
    }


@pytest.fixture(scope="module")
def people():
    return {"man": person(1, sex="male", age=40), "woman": person(3, sex="female", age=40)}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        # Means +- 2 standard deviations or ranges: Geraghty et al., Abdom Imaging 29, 2004; Prassopoulos et al., Eur
        # Radiol 7, 1997 (spleen); Preininger et al., Man Ther 16, 2011, and Marcon et al., Skeletal Radiol 45, 2016
        # (glutei). Whole vertebrae: bodies of 25 to 45 ml and as much again by a half in their arches.
        ("vertebrae_L1", 34, 70),
        ("vertebrae_L3", 40, 75),
        ("vertebrae_L5", 40, 75),
        ("hip_left", 240, 400),
        ("spleen", 105, 300),
        ("liver", 1000, 2100),
        ("kidney_left", 110, 250),
        ("adrenal_gland_right", 2, 7),
        ("adrenal_gland_left", 2, 7),
        ("gluteus_minimus_right", 45, 110),
        ("gluteus_medius_left", 145, 430),
        ("urinary_bladder", 70, 600),
        ("colon", 400, 1800),
    ],
)
def test_volumes_are_those_of_adults(people, name, low, high):
    for who, found in people.items():
        assert low < found[name][0] < high, who


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("vertebrae_L1", 150, 285), ("vertebrae_L4", 150, 285), ("hip_right", 180, 300), ("sacrum", 80, 190)],
)
def test_bones_of_the_trunk_are_as_dense_as_at_forty(people, name, low, high):
    for who, found in people.items():
        assert low < found[name][1] < high, who


def test_the_bowel_holds_gas(people):
    for who, found in people.items():
        assert -400 < found["colon"][1] < -40, who


def test_old_people_have_less_dense_vertebrae_and_darker_muscle(people):
    young, old = people["woman"], person(3, sex="female", age=88)
    for bone in ("vertebrae_L1", "vertebrae_L4", "hip_left"):
        assert old[bone][1] < 0.8 * young[bone][1], bone
    assert old["gluteus_medius_right"][1] < young["gluteus_medius_right"][1] - 8


def test_girth_does_not_make_vertebrae_larger():
    point = (0.0, -14.0, 90.0)
    slim, stout = (Skeleton(Physique(bmi=bmi), Posture()).trunk for bmi in (18.0, 40.0))
    sizes = [np.cbrt(np.linalg.det(trunk.rigid_at(point).matrix[:3, :3])) for trunk in (slim, stout)]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-6)
    assert stout.width.max() > 1.05 * slim.width.max()


def ball(radius: float, wall: float = 200.0):
    """A ball, and a room that ends at x = wall."""

    def solid(region: Region) -> OrganShape:
        body = ellipsoid(region, (0, 0, 0), (radius,) * 3)
        return OrganShape(body, np.broadcast_to(region.x - np.float32(wall), body.shape))

    return solid


def volume_of(radius: float) -> float:
    return 4 / 3 * np.pi * (radius / 10) ** 3


@pytest.mark.parametrize("wanted", [35.0, 50.0, 62.0])
def test_a_ball_grows_to_the_radius_of_its_volume(wanted):
    assert growth(ball(50.0), BOX, volume_of(wanted)) == pytest.approx(wanted - 50, abs=0.4)


def test_half_a_room_makes_half_a_ball_of_the_same_volume():
    cut = np.pi * 6.0**2 * 0.25  # voxels on the wall do not count, and half of each lies in the room [ml]
    by = growth(ball(50.0, wall=0.0), BOX, volume_of(60.0) / 2 - cut)
    assert by == pytest.approx(10, abs=0.4)
    region = Canvas((5.0, 0.0, 0.0), (5.0, 0.0, 0.0), 1.0).whole()
    assert swollen(ball(50.0, wall=0.0)(region), by).item() == pytest.approx(5.0)  # outside the room, however large


def test_a_room_too_small_is_filled():
    by = growth(ball(20.0, wall=-90.0), BOX, 1e6)
    assert by > 100  # as far as the corners of the room


def test_fat_streaks_take_their_mean_and_run_along_the_body():
    field = fat_streaks((60, 90, 90), 1.25, 1.5, np.random.default_rng(0))
    assert field.min() == 0
    # The mean of max(n - 1, 0) of a unit Gaussian is 0.0833; interpolation between knots makes the tails thinner.
    assert 0.4 * 0.0833 < field.mean() / (80 * 1.5) < 1.05 * 0.0833

    def alike(axis: int) -> float:
        shifted = np.roll(field, 4, axis=axis)
        return float(np.corrcoef(field.ravel(), shifted.ravel())[0, 1])

    assert alike(0) > 0.35 > 0.15 > alike(1)
