"""Starts, refinement, judgement, another try, record: one procedure for Python, the command and the app."""

from dataclasses import replace
from typing import NamedTuple

import pytest
import torch
from support.registrations import CAMERA, DONE, lopsided, registration_at, shot_of, true_pose, twisted
from support.repo import modules_loaded_by
from support.xvr_app import SETTINGS, ended, small_session
from xraykit.render import InputError, Volume, read_pose, render, save_image, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.storage import from_plain, leaves, to_plain
from xraykit.xvr import (
    ProcedureSettings,
    RegisterSettings,
    RegistrationSettings,
    Structure,
    TrustJudgement,
    read_result,
    read_shot,
    register_xrays,
)
from xraykit.xvr.app.files import save_view
from xraykit.xvr.procedure import AGAIN, climb_settings
from xraykit.xvr.refine import NamedStructures, RefinementSettings, RefinementStep
from xraykit.xvr.start import StartSettings, StatedStart
from xraykit.xvr.start.given import GivenStarts
from xraykit.xvr.trust.stated_geometry import GeometryCheck

VOLUME = lopsided()
POSE = true_pose(VOLUME)
SHOT = shot_of(VOLUME, POSE)
QUICK = ProcedureSettings(refinement=RefinementSettings(scales=(32, 48), iterations=6))


class Tries(NamedTuple):
    """What `tries` sees and says."""

    seen: list
    chances: list
    alike: list
    scales: list
    doubted: list


@pytest.fixture
def tries(monkeypatch):
    """The starts of every refinement; each ends where its last start is, with chances and similarities as given."""
    seen, chances, alike, scales, doubted = [], [], [], [], []

    def refine(shots, named, starts, settings, *, report=None):
        seen.append(starts)
        scales.append(settings.scales)
        return registration_at(starts[-1:], starts[-1], cameras=tuple(shot.camera for shot in shots))

    def judge(registration, shots, bodies, *, judged):
        return TrustJudgement(chances.pop(0), 5.0, 1.0)

    monkeypatch.setattr("xraykit.xvr.procedure.register_among", refine)
    monkeypatch.setattr("xraykit.xvr.procedure.judge", judge)
    monkeypatch.setattr("xraykit.xvr.procedure.similarities", lambda *_: torch.tensor(alike))
    monkeypatch.setattr("xraykit.xvr.procedure.check_geometry", lambda found, *_: GeometryCheck(found, *doubted))
    monkeypatch.setattr("xraykit.xvr.procedure.other_ways", lambda *_: ())
    return Tries(seen, chances, alike, scales, doubted)


def test_what_is_not_trusted_is_tried_again_from_the_neighbours_of_its_starts(tries):
    seen = tries.seen
    tries.chances.extend([0.3, 0.2])
    tries.alike.extend([0.5, 0.6])
    told = []
    result = register_xrays([SHOT], VOLUME, QUICK, starts=POSE[None], tell=told.append)
    assert [len(starts) for starts in seen] == [1, 9]
    torch.testing.assert_close(seen[1][0], POSE)
    assert torch.equal(result.record.poses[0], seen[1][-1])
    assert (result.record.trust.success_probability, result.record.notes[-1]) == (0.2, AGAIN)
    assert len(told) == 1 and "chance of success 30 %" in told[0]


@pytest.mark.parametrize("second", [0.4, 0.5, 0.5001])
def test_the_first_try_stays_where_the_second_is_no_more_alike_however_likely_it_is(tries, second):
    tries.chances.extend([0.3, 0.8])
    tries.alike.extend([0.5, second])
    result = register_xrays([SHOT], VOLUME, QUICK, starts=POSE[None])
    assert torch.equal(result.record.poses[0], POSE)
    assert result.trust.success_probability == 0.3
    assert AGAIN not in result.record.notes


@pytest.mark.parametrize(
    ("kind", "first"),
    [("result", (128, 256)), ("landmarks+result", (128, 256)), ("result+search", (32, 64, 128, 256)), ("given", None)],
)
def test_close_starts_begin_fine_and_their_neighbours_coarse(tries, kind, first):
    tries.chances.append(0.3)
    tries.alike.extend([0.5, 0.4])
    register_xrays([SHOT], VOLUME, starts=GivenStarts(POSE[None], kind))
    whole = RefinementSettings().scales
    assert tries.scales == [first or whole, whole]


def test_a_climb_of_other_scales_begins_fine_at_its_last():
    climb = RegistrationSettings(scales=(32, 64), iterations=(3, 5)).fine()
    assert (climb.scales, climb.iterations) == ((64,), (5,))


def test_what_is_trusted_is_tried_once(tries):
    tries.chances.append(0.95)
    register_xrays([SHOT], VOLUME, QUICK, starts=POSE[None])
    assert len(tries.seen) == 1


@pytest.mark.parametrize(("shift", "chance", "verdict"), [(12.0, 0.2, "failed"), (2.0, 0.95, "trusted")])
def test_an_answer_that_contradicts_the_stated_camera_is_believed_no_longer(tries, shift, chance, verdict):
    tries.chances.append(0.95)
    tries.doubted.extend([("the X-ray fits better with another sdd",), shift])
    trust = register_xrays([SHOT], VOLUME, QUICK, starts=POSE[None]).trust
    assert (trust.success_probability, trust.verdict) == (chance, verdict)
    assert trust.warnings == ("the X-ray fits better with another sdd",)


def test_the_stated_camera_is_taken_as_it_is_where_that_is_asked(tries):
    tries.chances.append(0.95)
    tries.doubted.extend([("never asked",), 12.0])
    refinement = replace(QUICK.refinement, check_geometry=False)
    assert register_xrays([SHOT], VOLUME, replace(QUICK, refinement=refinement), starts=POSE[None]).trust.warnings == ()


def test_neighbours_are_left_alone_where_that_is_asked(tries):
    tries.chances.append(0.1)
    refinement = replace(QUICK.refinement, spread=False)
    register_xrays([SHOT], VOLUME, replace(QUICK, refinement=refinement), starts=POSE[None])
    assert len(tries.seen) == 1


def test_the_app_tries_again_as_well_and_saves_that_it_did(tries, tmp_path):
    seen = tries.seen
    tries.chances.extend([0.3, 0.8])
    tries.alike.extend([0.5, 0.6])
    again = replace(SETTINGS, refinement=replace(SETTINGS.refinement, spread=True))
    session, _ = small_session(refine_with=lambda *shots, **named: register_xrays(*shots, again, **named))
    session.refine(0)
    job = ended(session)
    assert job.outcome == "done", job.message
    assert [len(starts) for starts in seen] == [1, 9]
    assert "trying neighbours" in job.steps[-1]["message"]
    assert torch.equal(session.views[0].now.pose, seen[1][-1, 0])
    record = read_result(save_view(session, 0, tmp_path, {"ct": "ct.nii"}))
    assert (record.start_kind, record.notes[-1], record.trust.success_probability) == ("app", AGAIN, 0.8)
    session.close()


def test_cancelling_the_second_try_leaves_the_pose_where_the_first_ended():
    ends = torch.eye(4, dtype=torch.float64)

    def refine(shots, volume, *, starts, report, tell, **_):
        step = RefinementStep(0, 32, ends.expand(1, 1, 4, 4), 0.5, 0.1)
        report(step)
        tell("again")
        report(replace(step, poses=starts.poses))
        session.cancel()
        report(step)

    session, _ = small_session(refine_with=refine)
    session.refine(0)
    assert ended(session).outcome == "cancelled"
    assert torch.equal(session.views[0].now.pose, ends)
    session.undo(0)
    assert torch.equal(session.views[0].now.pose, session.starts[0])
    session.close()


def test_nothing_is_refined_where_only_the_start_is_asked_for(tries):
    result = register_xrays([SHOT], VOLUME, replace(QUICK, init_only=True), starts=POSE[None])
    assert (result.refined, result.trust, result.history, tries.seen) == (None, None, (), [])
    assert torch.equal(result.record.poses[0], POSE)


def test_settings_name_the_start_and_the_record_says_so():
    turned = StatedStart(lao_rao=(20.0,), cra_cau=(5.0,), sod=700.0)
    start = StartSettings(stated=turned)
    record = register_xrays([SHOT], VOLUME, ProcedureSettings(start=start, init_only=True)).record
    torch.testing.assert_close(record.poses[0], POSE)
    assert record.start_kind == "fixed"
    assert record.settings["start"]["stated"]["lao_rao"] == [20.0]
    with pytest.raises(InputError, match="--start fixed needs one of"):
        register_xrays([SHOT], VOLUME, ProcedureSettings(start=StartSettings(kinds=("fixed",))))


def test_where_no_structure_is_named_nothing_can_be_registered():
    with pytest.raises(InputError, match="one structure or more to register"):
        NamedStructures({})


def test_a_structure_is_turned_about_its_own_pivot_unless_another_point_is_given():
    body = Structure.of(VOLUME)
    assert torch.equal(NamedStructures({"body": body}).turning_point, body.pivot)
    assert torch.equal(NamedStructures({"body": body}, VOLUME.center).turning_point, VOLUME.center)


def test_steps_are_reported_and_may_end_the_work():
    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register_xrays([SHOT], VOLUME, QUICK, starts=twisted(POSE, shift=(5, 0, 0))[None], report=stop)


def test_the_command_finds_what_the_library_finds(tmp_path):
    write_volume(tmp_path / "ct.nii.gz", (VOLUME.mu / 0.02 - 1) * 1000, VOLUME.affine)
    volume = Volume.from_file(tmp_path / "ct.nii.gz")
    pose = true_pose(volume)
    save_image(tmp_path / "x.dcm", render(volume, CAMERA, pose), camera=CAMERA, pose=pose, sod=700.0)
    write_pose(tmp_path / "start.json", CAMERA, twisted(pose, turn=(2, 0, 3), shift=(3, 0, 0)))
    options = ["--scales", "32", "--scales", "48", "--iterations", "6", "--no-animation"]
    files = [str(tmp_path / name) for name in ("ct.nii.gz", "x.dcm")]
    pose_file = ["--pose", str(tmp_path / "start.json")]
    assert run(["xvr", "register", *files, "-o", str(tmp_path / "out"), *pose_file, *options]) in DONE
    by_command = read_result(tmp_path / "out/x")

    shot = read_shot(tmp_path / "x.dcm", name="x")
    starts = read_pose(tmp_path / "start.json")[1][None]
    structures = NamedStructures({"CT": Structure.of(volume)}, volume.center)
    found = register_xrays([shot], volume, QUICK, structures=structures, starts=starts).record
    assert torch.equal(by_command.poses, found.poses)
    assert torch.equal(by_command.covariance, found.covariance)
    assert by_command.trust.success_probability == found.trust.success_probability
    assert by_command.notes == found.notes


def test_settings_survive_a_file_and_every_option_has_a_name_of_its_own():
    settings = from_plain(
        RegisterSettings,
        {"ct": "ct.nii", "xrays": ["x"], "output": "out", "view": "ap", "search_roll": [0, 5], "pixel_spacing": [1, 2]},
    )
    assert settings.start.stated.view == "ap" and settings.start.search.roll == (0.0, 5.0)
    assert settings.xray.pixel_spacing == (1.0, 2.0)
    assert from_plain(RegisterSettings, to_plain(settings)) == settings
    assert {"start", "network", "network_sdd", "refine_intrinsics", "landmarks_ct"} <= set(leaves(RegisterSettings))


def test_settings_load_no_torch():
    loaded = modules_loaded_by("import xraykit.xvr.procedure_settings, xraykit.xvr.start.checks")
    assert not loaded & {"torch", "cyclopts"}


def test_an_xray_from_a_picture_loads_no_reader_of_dicom(tmp_path):
    save_image(tmp_path / "xray.png", render(VOLUME, CAMERA, POSE))
    code = (
        "import xraykit.xvr.file_registration\nfrom xraykit.xvr import XraySettings, read_shot\n"
        f"read_shot({str(tmp_path / 'xray.png')!r}, XraySettings(sdd=1000.0, pixel_spacing=1.0))"
    )
    assert not modules_loaded_by(code) & {"pydicom", "requests", "numba", "matplotlib"}


def test_every_setting_of_the_refinement_reaches_the_climb():
    asked = RefinementSettings(scales=(20, 40), iterations=7, optimizer="adam", intrinsics=("sdd",))
    climb = climb_settings(asked)
    assert (climb.scales, climb.iterations, climb.optimizer, climb.intrinsics) == ((20, 40), 7, "adam", ("sdd",))
    with pytest.raises(InputError, match="iterations must be 1 or more"):
        RefinementSettings(iterations=0)
