"""Chosen bones are found among what the X-ray shows besides them."""

from dataclasses import replace

import pytest
import torch
from support.registration import SIZE, VOXEL, camera, moved, pose, target_error, two_bones
from xraykit.render import Volume, render
from xraykit.render.geometry import world_to_voxel
from xraykit.xvr.refine import NamedStructures, Structure, structure_of
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.structure import centre_of_mass
from xraykit.xvr.refine.surroundings import first_structures, register_among, structures_among
from xraykit.xvr.xray.shot import Shot

SETTINGS = RegistrationSettings(scales=(24, 48))
SOFT = 0.02


def belly() -> Volume:
    """The two bones in an uneven barrel of soft tissue."""
    bones = two_bones()
    z, y, x = torch.meshgrid(*(3 * [(torch.arange(SIZE) - (SIZE - 1) / 2) * VOXEL]), indexing="ij")
    barrel = (x / 55).square() + (y / 38).square() + 0.3 * (z / 55).square() < 1
    lump = ((x - 20).square() + (y + 10).square() + (z + 5).square()) < 15**2
    mu = torch.where(barrel, SOFT + 0.01 * lump, 0.0)
    return bones.with_mu(torch.where(bones.labels > 0, bones.mu + SOFT, mu))


@pytest.fixture(scope="module")
def volume():
    return belly()


@pytest.fixture(scope="module")
def upper(volume):
    return structures_among(volume, {"upper": [1]})


def test_structures_and_the_rest_add_up_to_the_ct(volume, upper):
    poses = pose(volume)
    whole = render(volume, camera(), poses, method="siddon")
    parts = sum(render(body.volume, camera(), poses, method="siddon") for body in upper.rendered)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-4)


def test_a_bone_leaves_soft_tissue_behind_and_no_hole(volume):
    rest = structures_among(volume, {"upper": [1], "lower": [2]}).surroundings.rest.volume
    assert float(volume.mu.max()) > 2 * SOFT
    assert float(rest.mu.max()) < SOFT + 0.011
    middle = centre_of_mass(structure_of(volume, [1]))
    i, j, k = world_to_voxel(middle[None], rest.affine)[0].round().long().tolist()
    assert float(rest.mu[k, j, i]) > 0.9 * SOFT


def test_a_bone_alone_is_found_where_the_whole_ct_is(volume, upper):
    truth = pose(volume)
    image = render(volume, camera(48), truth, samples=150)[0, 0]
    start = moved(truth, volume.center, (6.0, -7.0, 8.0), (6.0, -14.0, 5.0))
    found = register_among([Shot(image, camera(48))], upper, start[None], SETTINGS)
    bone = structure_of(volume, [1])
    assert target_error(start, truth, bone) > 10
    assert target_error(found.poses[0], truth, bone) < 0.7
    assert len(found.poses) == 2 and torch.equal(found.start, start)
    kept = first_structures(found, 1)
    assert {len(kept.poses), len(kept.covariance), len(kept.pivot)} == {1}
    assert {len(one.poses) for one in (*kept.candidates, *kept.history)} == {1}


def test_a_bone_that_moved_in_its_soft_tissue_is_found_where_it_went(volume, upper):
    truth = pose(volume)
    went = moved(truth, volume.center, (4.0, 2.0, -5.0), (3.0, -2.0, 2.0))
    places = (went, truth)
    images = (render(b.volume, camera(48), p, samples=150) for b, p in zip(upper.rendered, places, strict=True))
    found = register_among([Shot(sum(images)[0, 0], camera(48))], upper, truth[None], SETTINGS)
    bone = structure_of(volume, [1])
    assert target_error(truth, went, bone) > 3
    assert target_error(found.poses[0], went, bone) < 0.7


def test_where_nothing_is_left_around_them_structures_are_compared_alone():
    bones = two_bones()
    named = structures_among(bones, {"both": [1, 2]}, bones.center)
    assert named.surroundings is None and len(named.rendered) == 1
    torch.testing.assert_close(named.bodies[0].volume.mu.sum(), bones.mu.sum())
    assert torch.equal(named.turning_point, bones.center)


def test_what_is_hardly_denser_than_soft_tissue_is_taken_whole(volume):
    thin = replace(volume, mu=torch.where(volume.labels == 1, 1.05 * SOFT, volume.mu))
    body = structures_among(thin, {"upper": [1]}).bodies[0].volume
    torch.testing.assert_close(float(body.mu.max()), 1.05 * SOFT)


def test_without_surroundings_the_structures_are_registered_as_they_are(volume):
    body = Structure.of(structure_of(volume, [1]))
    truth = pose(volume)
    image = Shot(render(body.volume, camera(48), truth, samples=150)[0, 0], camera(48))
    found = register_among([image], NamedStructures({"upper": body}), truth[None], SETTINGS)
    assert len(found.poses) == 1
    assert target_error(found.poses[0], truth, body.volume) < 0.3
