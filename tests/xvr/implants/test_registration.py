"""Implants are found from near starts, from none, and in two views; rivals and misfits are said."""

from dataclasses import replace

import pytest
import torch
from support.implants import CAMERA, QUICK, component, errors, implant_shot, moved, second_camera, truth
from xraykit.render import InputError, Mesh
from xraykit.render.geometry import rigid_inverse
from xraykit.render.meshes import thickness
from xraykit.xvr import Shot, register
from xraykit.xvr.implants import Implant, OrientationSearch, likely_symmetries, lookalikes


def test_a_near_start_ends_at_the_truth():
    implant = component()
    pose = truth(implant)
    start = moved(implant, pose, (3.0, -2.0, 3.0), (3.0, -2.0, 5.0))
    found = register(implant_shot(implant, pose), implant, start, QUICK)
    across, depth, turn = errors(implant, found.poses[0, 0], pose)
    assert (across < 0.5, depth < 8.0, turn < 1.0) == (True, True, True)
    assert float(found.score[0]) > 0.8
    assert torch.allclose(found.mesh_to_camera[0, 0], rigid_inverse(found.poses[0, 0]))
    spread = found.covariance[0].diagonal().sqrt()
    assert bool((spread > 0).all()) and float(spread[3:].max()) < 20


def test_two_views_find_the_depth_that_one_leaves_open():
    implant = component()
    first = truth(implant)
    poses = torch.stack([first, first @ second_camera()])
    shots = [implant_shot(implant, pose, name=name) for name, pose in zip("ab", poses, strict=True)]
    start = moved(implant, first, (2.0, 2.0, -2.0), (2.0, 1.0, 8.0))
    found = register(shots, [implant], torch.stack([start, start @ second_camera()])[None], QUICK)
    across, depth, turn = errors(implant, found.poses[0, 0], first)
    assert (across < 0.4, depth < 0.6, turn < 0.6) == (True, True, True)
    between = rigid_inverse(found.poses[0, 0]) @ found.poses[0, 1]
    assert torch.allclose(between, second_camera(), atol=1e-6)


@pytest.mark.slow
def test_a_search_needs_no_start():
    implant = component()
    pose = truth(implant)
    search = OrientationSearch(step=30.0, depths=(0.76,), longest=80, keep=12)
    settings = replace(QUICK, search=search, keep=6, fit=replace(QUICK.fit, iterations=12, reach=8))
    found = register(implant_shot(implant, pose), implant, None, settings)
    across, _, turn = errors(implant, found.poses[0, 0], pose)
    assert (across < 1.0, turn < 2.0) == (True, True)


def test_a_lookalike_of_a_symmetric_implant_shows_nearly_its_shadow():
    implant = component("tibial_component")
    maps, away = likely_symmetries(implant)
    mirror = maps[0]
    assert float(torch.linalg.det(mirror)) < 0 and float(away[0]) < 2.0
    pose = truth(implant)
    other = lookalikes(implant, pose[None], mirror[None])[0]
    assert errors(implant, other[0], pose)[2] > 5
    here, there = (thickness([implant.mesh], CAMERA, p[None])[0, 0] > 0 for p in (pose, other[0]))
    assert float((here & there).sum() / (here | there).sum()) > 0.85


def test_both_answers_for_a_symmetric_implant_are_ranked_and_said():
    ball = component("tibial_component")
    pose = truth(ball)
    settings = replace(QUICK, lookalikes=True)
    found = register(implant_shot(ball, pose), ball, pose, settings)
    scores = [answer.score for answer in found.answers[0]]
    assert len(scores) > 1 and scores == sorted(scores, reverse=True)
    if scores[1] > scores[0] - 0.05:
        assert any("answers fit about as well" in doubt for doubt in found.doubts)


def test_an_implant_that_is_not_there_is_refused():
    empty = Shot(torch.rand(160, 160, generator=torch.Generator().manual_seed(0)), CAMERA)
    with pytest.raises(InputError, match="must be seen in the X-rays, got no place where its outline fits"):
        register(empty, component(), truth(component()), QUICK)


def test_a_start_out_of_view_is_refused():
    implant = component()
    away = moved(implant, truth(implant), (0, 0, 0), (400.0, 0, 0))
    with pytest.raises(InputError, match="must start inside xray, got a start that puts it at"):
        register(implant_shot(implant, truth(implant)), implant, away, QUICK)


def test_two_views_without_cameras_are_refused():
    implant = component()
    shots = [implant_shot(implant, truth(implant), name=name) for name in "ab"]
    with pytest.raises(InputError, match="needs to know where they stand to each other"):
        register(shots, implant)


def test_starts_of_another_shape_are_refused():
    implant = component()
    with pytest.raises(InputError, match=r"starts must be \(S, 2, 1, 4, 4\) for 2 implants in 1 X-rays"):
        register(implant_shot(implant, truth(implant)), [implant, implant], truth(implant)[None])


def test_an_open_mesh_makes_no_implant():
    mesh = component().mesh
    with pytest.raises(InputError, match="must be closed"):
        Implant(Mesh(mesh.vertices, mesh.faces[:-1]))


def test_the_other_half_of_an_implant_counts_as_unseen():
    implant = component()
    pose = moved(implant, truth(implant), (0, 0, 0), (-78.0, 0, 0))
    found = register(implant_shot(implant, pose), implant, pose, QUICK)
    assert float(found.seen[0]) < 0.8
