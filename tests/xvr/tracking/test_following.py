"""Implants and bones are followed; what is lost is said, has no pose, and is found again."""

from dataclasses import replace

import pytest
import torch
from support.cine import implant_run, noise_shot, true_poses
from support.implants import QUICK, component, errors
from support.registration import camera, moved, pose, two_bones
from xraykit.render import InputError, render
from xraykit.xvr import RegistrationSettings, Shot, Structure, register_implants, structure_of
from xraykit.xvr.refine import NamedStructures
from xraykit.xvr.refine.structure import Surroundings
from xraykit.xvr.tracking import CineFrame, ImplantGroup, StructureGroup, TrackingSettings, track

COUNT = 5


@pytest.fixture(scope="module")
def run():
    return implant_run(COUNT, empty=(2,))


@pytest.fixture(scope="module")
def followed(run):
    return track(run, component(), true_poses(1)[0], registration=QUICK)


@pytest.mark.slow
def test_an_implant_is_followed_lost_and_found_again(followed):
    assert [frame.verdicts[0] for frame in followed.frames] == [
        "found",
        "tracked",
        "lost",
        "found again",
        "tracked",
    ]
    assert followed.lost(0) == ("002",)
    assert bool(followed.frames[2].poses.isnan().all()) and not followed.frames[1].reasons
    assert followed.frames[2].reasons[0].startswith("femoral_component: ")
    for frame, true in zip(followed.frames, true_poses(COUNT), strict=True):
        if frame.verdicts[0] != "lost":
            across, depth, turn = errors(component(), frame.poses[0, 0], true)
            assert (across < 0.6, depth < 10.0, turn < 1.5) == (True, True, True)


def test_going_on_after_some_frames_ends_as_one_run(run, followed):
    again = track(run[4:], component(), registration=QUICK, done=followed.frames[:4])
    assert [frame.verdicts for frame in again.frames] == [frame.verdicts for frame in followed.frames]
    torch.testing.assert_close(again.body_to_camera, followed.body_to_camera, equal_nan=True)


@pytest.fixture
def narrow(monkeypatch):
    """The wider search looks no wider, which takes a fifth of its time."""
    monkeypatch.setattr(ImplantGroup, "wide", ImplantGroup.near)


@pytest.mark.usefixtures("narrow")
def test_a_body_that_jumps_is_not_believed(run):
    strict = TrackingSettings(most_turn=0.5, most_shift=0.5)
    found = track(run[:2], component(), true_poses(1)[0], strict, registration=QUICK)
    assert found.frames[1].verdicts == ("lost",)
    assert "would have turned by" in found.frames[1].reasons[0]


@pytest.mark.usefixtures("narrow")
def test_a_fit_below_the_usual_one_is_not_believed(run):
    better = replace(track(run[:1], component(), true_poses(1)[0], registration=QUICK).frames[0], scores=(9.0,))
    again = track(run[1:2], component(), registration=QUICK, done=[better])
    assert again.frames[1].verdicts == ("lost",) and "usual is 9.00" in again.frames[1].reasons[0]


def test_what_is_usual_decides_near_the_last_pose_and_not_what_a_search_asks_for(run, followed):
    again = track(run[1:2], component(), registration=replace(QUICK, least=0.999), done=followed.frames[:1])
    assert again.frames[1].verdicts == ("tracked",)


def test_an_implant_that_the_field_cuts_off_is_judged_by_what_is_seen_of_it(run):
    valid = torch.ones(run[0].shots[0].image.shape, dtype=torch.bool)
    valid[:, : valid.shape[1] // 2 + 4] = False
    cut = replace(run[1], shots=(replace(run[1].shots[0], valid=valid),))
    found = track([run[0], cut], component(), true_poses(1)[0], registration=QUICK)
    alone = register_implants(cut.shots, component(), found.frames[1].poses[:, 0], QUICK)
    assert 0.4 < float(alone.seen[0]) < 0.65 and float(alone.score[0]) < 0.7 * found.frames[0].scores[0]
    assert found.frames[1].verdicts == ("tracked",)
    assert errors(component(), found.frames[1].poses[0, 0], true_poses(2)[1])[0] < 1.0


def test_a_frame_that_cannot_be_used_is_lost_and_says_why(run):
    blank = CineFrame((), 1, "001", fault="the image is constant.")
    found = track([run[0], blank], component(), true_poses(1)[0], registration=QUICK)
    assert found.frames[1].reasons == ("femoral_component: the image is constant.",)
    with pytest.raises(InputError, match="the first frame must be usable, got: the image is constant"):
        track([blank], component(), true_poses(1)[0], registration=QUICK)


def test_frames_out_of_order_none_and_other_views_are_refused(run):
    with pytest.raises(InputError, match="frames must come in order, got 0 after 1"):
        track([run[1], run[0]], component(), true_poses(1)[0], registration=QUICK)
    with pytest.raises(InputError, match="a track needs one frame at least"):
        track([], component())
    two = replace(run[1], shots=run[1].shots * 2)
    with pytest.raises(InputError, match="every frame must show 1 views, got 2 in 001"):
        track([run[0], two], component(), true_poses(1)[0], registration=QUICK)


def test_what_is_not_in_the_first_frame_is_refused():
    with pytest.raises(InputError, match="must be seen in the X-rays"):
        track([CineFrame((noise_shot(),), 0)], component(), true_poses(1)[0], registration=QUICK)


def test_two_bones_are_followed_each_with_its_pose():
    volume = two_bones()
    bodies = [Structure.of(structure_of(volume, [label])) for label in (1, 2)]
    named = NamedStructures(dict(zip(("femur_left", "tibia_left"), bodies, strict=True)))
    first, quick = pose(volume), RegistrationSettings(scales=(24, 48), iterations=12)
    truth, frames = [], []
    for n in range(3):
        poses = [moved(first, body.pivot, (sign * 4.0 * n, 0, 2.0 * n), (sign * n, 0, 2 * n)) for body, sign in
                 zip(bodies, (1, -1), strict=True)]  # fmt: skip
        images = [render(body.volume, camera(), one) for body, one in zip(bodies, poses, strict=True)]
        truth.append(torch.cat(poses))
        frames.append(CineFrame((Shot(sum(images)[0, 0], camera()),), n, str(n), n / 15))
    found = track(frames, named, first[None], registration=quick)
    assert [frame.verdicts[0] for frame in found.frames] == ["found", "tracked", "tracked"]
    assert found.bodies == ("femur_left", "tibia_left")
    for frame, true in zip(found.frames, truth, strict=True):
        for k, body in enumerate(bodies):
            middle = torch.cat([body.pivot.double(), torch.ones(1).double()])
            seen = (torch.linalg.inv(matrix) @ middle for matrix in (frame.poses[k, 0], true[k]))
            a, b = seen
            assert float((a - b)[:2].norm()) < 1.0
    with pytest.raises(InputError, match="CT's structures need starts in the first frame"):
        track(frames, named, registration=quick)


def test_what_lies_around_a_bone_moves_by_itself():
    volume = two_bones()
    bone, rest = (Structure.of(structure_of(volume, [label])) for label in (1, 2))
    named = NamedStructures({"upper": bone}, surroundings=Surroundings(Structure.of(volume), rest))
    first = pose(volume)
    true = moved(first, bone.pivot, (3.0, 0, 2.0), (1.0, 0, 2.0))
    shot = Shot((render(bone.volume, camera(), true) + render(rest.volume, camera(), first))[0, 0], camera())
    found = StructureGroup(named, RegistrationSettings(scales=(24, 48), iterations=12)).near((shot,), first[None, None])
    assert found is not None and found.poses.shape == (1, 1, 4, 4)
    middle = torch.cat([bone.pivot.double(), torch.ones(1).double()])
    away = (torch.linalg.inv(found.poses[0, 0]) - torch.linalg.inv(true[0])) @ middle
    assert float(away[:2].norm()) < 1.0
