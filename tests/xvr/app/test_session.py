"""A session keeps poses, undoes gestures, renders the newest request, and registers in the background."""

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.waiting import PATIENCE
from support.xvr_app import CAMERA, blocked, ended, patient, small_session
from xraykit.render import GeometryError, InputError
from xraykit.render.geometry import geodesic_distance, project
from xraykit.xvr.app.live_rendering import FULL
from xraykit.xvr.app.pose_sliders import Move
from xraykit.xvr.app.session import Session
from xraykit.xvr.app.state import session_state
from xraykit.xvr.app.structures import offered_structures, structure
from xraykit.xvr.procedure import XrayRegistration
from xraykit.xvr.result.record import ResultRecord
from xraykit.xvr.start import StartSettings
from xraykit.xvr.trust import TrustJudgement


@pytest.fixture(scope="module")
def shared():
    """A session that tests may move about; they put it back."""
    session, _ = small_session()
    yield session
    session.close()


@pytest.fixture
def session(shared):
    for view in shared.views:
        del view.history[1:]
        view.gesture = ""
    shared.choose([])
    return shared


def pixels(session, index=0, *, draft=False) -> np.ndarray:
    picture, _ = session.picture(index, draft=draft)
    return np.asarray(Image.open(io.BytesIO(picture))).astype(float)


def test_moves_of_one_gesture_are_undone_together(session):
    start = session.sliders(0)
    for _ in range(3):
        session.move(0, Move(add={"x": 2.0}), gesture="drag 1")
    session.move(0, Move(add={"roll": 4.0}), gesture="drag 2")
    assert session.sliders(0) == pytest.approx(start._replace(x=start.x + 6.0, roll=start.roll + 4.0))
    session.undo(0)
    assert session.sliders(0) == pytest.approx(start._replace(x=start.x + 6.0))
    session.undo(0)
    session.undo(0)
    assert session.sliders(0) == pytest.approx(start)


def test_reset_goes_to_the_start_and_can_be_undone(session):
    start = session.sliders(1)
    session.move(1, Move(set={"cra_cau": 30.0}), gesture="a")
    session.reset(1)
    assert session.sliders(1) == pytest.approx(start)
    session.undo(1)
    assert session.sliders(1).cra_cau == pytest.approx(30.0)


def test_xrays_have_poses_of_their_own(session):
    before = session.sliders(1)
    session.move(0, Move(add={"y": 9.0}), gesture="a")
    assert session.sliders(1) == before


def test_rendering_at_the_true_pose_is_the_xray(session):
    truth = small_session()[1][0]
    view = session.views[0]
    apart = np.abs(pixels(session) - view.picture.grey).mean()
    view.place(type(view.now)(truth, "truth"))
    alike = np.abs(pixels(session) - view.picture.grey).mean()
    assert alike < 3 < apart, "greys of 256"


def test_full_pictures_have_the_xrays_shape_and_drafts_are_smaller(session):
    height, width = round(FULL * CAMERA.height / CAMERA.width), FULL
    assert session.views[0].picture.grey.shape == (height, width) == pixels(session).shape
    assert pixels(session, draft=True).shape[1] < FULL


def test_newest_request_overtakes_those_that_wait(session):
    answers = {}

    def ask(name):
        answers[name] = session.picture(0, draft=True)

    with session.live.busy:  # a picture is being rendered
        waiting = [threading.Thread(target=ask, args=(name,)) for name in ("first", "second")]
        for number, thread in enumerate(waiting, start=session.live.newest + 1):
            thread.start()
            while session.live.newest < number:
                pass
    for thread in waiting:
        thread.join()
    assert answers["first"] is None
    assert answers["second"][1] == "image/jpeg"


def test_full_rendering_is_given_up_for_a_newer_request(session, monkeypatch):
    bands = []

    def overtaken(*arguments, **options):
        bands.append(1)
        session.live.newest += len(bands) == 2  # a request arrives during the second band
        return torch.ones(1, 1)

    monkeypatch.setattr("xraykit.xvr.app.live_rendering.line_integrals", overtaken)
    assert session.picture(0, draft=False) is None
    assert len(bands) == 2


def test_view_beside_the_anatomy_is_black_and_no_error(session):
    session.move(0, Move(add={"x": 5000.0}), gesture="away")
    assert pixels(session).max() == 0


def test_structure_renders_its_labels_alone_about_its_own_middle(session):
    session.choose(["liver"])
    rows, columns = np.nonzero(pixels(session) > 0)
    middle = (
        project(session.structure.isocenter[None], CAMERA, session.views[0].now.pose[None]).uv[0, 0]
        * FULL
        / CAMERA.width
    )
    assert [columns.mean(), rows.mean()] == pytest.approx(middle.tolist(), abs=8)
    assert session_state(session)["structure"]["title"] == "liver"
    torch.testing.assert_close(
        session.structure.isocenter, torch.tensor([10.0, 25.0, -30.0]).double(), atol=4.0, rtol=0
    )


def test_choosing_a_structure_leaves_the_pose(session):
    before = session.views[0].now.pose.clone()
    session.choose(["ribs_left", "liver"])
    assert torch.equal(session.views[0].now.pose, before)


def test_groups_are_offered_where_more_than_one_of_their_labels_is_there():
    offered = offered_structures(patient())
    assert offered == {
        "groups": ["bones", "rib_cage", "ribs_left"],
        "labels": ["liver", "rib_left_1", "rib_left_2"],
    }


@pytest.mark.parametrize("names, words", [(["spleen"], "no label matches 'spleen'"), ([3], "chosen by name")])
def test_structures_that_are_not_there_are_refused(session, names, words):
    with pytest.raises(InputError, match=words):
        session.choose(names)


def test_structures_need_labels():
    bare = patient()
    with pytest.raises(InputError, match="no label matches 'liver'"):
        structure(type(bare)(bare.mu, bare.affine), ["liver"])


def test_refinement_finds_the_pose_and_reports_its_climb():
    session, truth = small_session()
    session.refine(0)
    job = ended(session)
    assert job.outcome == "done", job.message
    apart = [float(geodesic_distance(pose, truth[0])[0]) for pose in (session.starts[0], session.views[0].now.pose)]
    assert apart[1] < 0.3 < apart[0]
    assert len(job.steps) > 3
    coarse = [step["similarity"] for step in job.steps if step["scale"] == 32]
    assert coarse[-1] > coarse[0] + 0.01
    found = session_state(session)["views"][0]["found"]
    assert 0 < found["deviations"]["lao_rao"] < 10
    assert found["similarity"] > 0.9
    session.undo(0)
    assert session.views[0].now.kind == "start"
    session.close()


def test_joint_refinement_keeps_the_places_of_the_xrays():
    session, truth = small_session()
    between = torch.linalg.inv(session.views[0].now.pose) @ session.views[1].now.pose
    session.refine(0, joint=True)
    assert ended(session).outcome == "done"
    poses = [view.now.pose for view in session.views]
    torch.testing.assert_close(torch.linalg.inv(poses[0]) @ poses[1], between, atol=1e-6, rtol=0)
    assert max(float(geodesic_distance(pose, true)[0]) for pose, true in zip(poses, truth, strict=True)) < 1.0
    session.close()


def judged(chance):
    """A refinement that leaves every X-ray where it starts, and believes that this is right with the chance."""

    def refine(shots, volume, *, starts, **_):
        names, poses = tuple(shot.name for shot in shots), starts.poses[0]
        cameras = tuple(shot.camera for shot in shots)
        trust = TrustJudgement(chance[0], 5.0, 1.0)
        kinds.append(starts.kind)
        return XrayRegistration(ResultRecord(("CT",), names, poses[None], poses, cameras, starts.kind, trust=trust))

    kinds: list[str] = []
    return refine, kinds


@pytest.mark.parametrize(("joint", "stays"), [(0.6, True), (0.99, False)])
def test_a_joint_refinement_leaves_the_other_xray_alone_where_that_was_likelier_right(joint, stays):
    chance = [0.9]
    refine, kinds = judged(chance)
    session, _ = small_session(refine_with=refine)
    session.refine(1)
    ended(session)
    alone, chance[0] = session.views[1].now.found, joint
    session.refine(0, joint=True)
    said = [step["message"] for step in ended(session).steps if "message" in step]
    assert session.views[0].now.found.views == (0, 1)
    assert (session.views[1].now.found is alone) is stays
    assert ("side stays where it was, which is likelier right" in said) is stays
    assert kinds == ["app", "app"]
    session.refine(1)
    ended(session)
    assert kinds[-1] == "result"  # it is close, and begins fine
    session.close()


def test_views_that_were_freed_of_each_other_show_what_is_known_of_each():
    known = torch.eye(6, dtype=torch.float64).expand(1, 6, 6)

    def refine(shots, volume, *, starts, **_):
        names, poses = tuple(shot.name for shot in shots), starts.poses[0]
        trust = TrustJudgement(0.9, 5.0, 2.0, view_errors=(0.5, 2.0))
        freed = {"covariance": 16 * known, "view_covariance": torch.stack([known, 16 * known])}
        cameras, pivot = tuple(shot.camera for shot in shots), torch.zeros(1, 3)
        record = ResultRecord(("CT",), names, poses[None], poses, cameras, "x", trust=trust, pivot=pivot, **freed)
        return XrayRegistration(record)

    session, _ = small_session(refine_with=refine)
    session.refine(0, joint=True)
    ended(session)
    front, side = (view["found"] for view in session_state(session)["views"])
    assert (front["trust"]["expected"], side["trust"]["expected"]) == (0.5, 2.0)
    assert side["deviations"]["lao_rao"] > 2 * front["deviations"]["lao_rao"]
    session.close()


def test_xrays_that_nobody_moved_start_as_the_command_does():
    heard = []

    def refine(shots, volume, *, starts, files, **_):
        heard.append((starts, files.xrays))
        raise InputError("enough")

    session, _ = small_session(refine_with=refine, opening=StartSettings())
    session.shots[0] = session.views[0].shot = replace(session.views[0].shot, source=Path("a.dcm"))
    session.refine(0)
    ended(session)
    session.move(0, Move(add={"x": 3.0}), gesture="1")
    session.refine(0)
    ended(session)
    (first, files), (then, _) = heard
    assert first is None and files == (Path("a.dcm"),)
    assert torch.equal(then.poses[0, 0], session.views[0].now.pose)
    session.close()


def test_cancelling_keeps_the_pose_so_far_and_hands_wait_until_then():
    paused, going = threading.Event(), threading.Event()

    def slow(shots, volume, *, starts, report, **_):
        step = type("Step", (), {"scale": 64, "similarity": 0.5, "seconds": 0.1, "poses": starts.poses})
        step.poses = starts.poses.clone()
        step.poses[..., 0, 3] += 1.0
        while True:
            report(step)
            paused.set()
            going.wait(0.01)

    session, _ = small_session(refine_with=slow)
    before = session.sliders(0)
    session.refine(0)
    assert paused.wait(PATIENCE)
    session.move(0, Move(add={"x": 50.0}), gesture="hand")
    assert session.sliders(0).x < before.x + 10
    with pytest.raises(InputError, match="one task at a time"):
        session.refine(1)
    with pytest.raises(InputError, match="structure stays"):
        session.choose(["liver"])
    with pytest.raises(InputError, match="poses stay while their X-ray is being registered"):
        session.take_over({0: session.views[0].now})
    session.cancel()
    assert ended(session).outcome == "cancelled"
    assert session.sliders(0) != before
    session.undo(0)
    assert session.sliders(0) == before
    session.close()


def test_failure_is_told_in_its_own_words_and_puts_the_pose_back():
    def fails(shots, volume, **_):
        raise GeometryError("nothing to see here.")

    session, _ = small_session(refine_with=fails)
    session.refine(0)
    job = ended(session)
    assert (job.outcome, job.message) == ("failed", "nothing to see here.")
    assert len(session.views[0].history) == 1
    session.close()


def test_starter_places_what_it_finds_and_can_be_stopped():
    done = threading.Event()
    session, truth = small_session(starters={"guess": lambda *_: truth_of(), "slow": blocked(done)})

    def truth_of():
        return truth[0]

    session.initialise(0, "guess")
    assert ended(session).outcome == "done"
    assert torch.equal(session.views[0].now.pose, truth[0])
    assert session.views[0].now.kind == "guess"
    session.initialise(0, "slow")
    session.cancel()
    assert ended(session).outcome == "cancelled"
    assert len(session.views[0].history) == 2
    with pytest.raises(InputError, match="initialise by one of guess, slow, got 'magic'"):
        session.initialise(0, "magic")
    session.close()


def test_session_needs_a_start_for_each_xray():
    session, _ = small_session()
    with pytest.raises(InputError, match="one or more X-rays with a start"):
        Session(session.volume, session.shots, session.starts[:1], {}, session.refine_with)
    with pytest.raises(InputError, match="view must be 0 to 1"):
        session.view(2)


def test_edge_letters_of_a_frontal_view():
    session, _ = small_session()
    session.move(0, Move(set={"lao_rao": 180.0, "cra_cau": 0.0, "roll": 0.0}), gesture="ap")
    letters = {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    assert session_state(session)["views"][0]["edges"] == letters
