"""`xvr register` does what the library does, leaves whole results or none, and goes on where it was stopped."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image
from support.registrations import CAMERA, DONE, lopsided
from xraykit.render import Volume, carm_pose, read_pose, render, save_image, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import INCOMPLETE
from xraykit.render.geometry import rigid_inverse
from xraykit.xvr import ResultRecord, TrustJudgement, true_tre
from xraykit.xvr.cli.register import FAILED, status_of
from xraykit.xvr.result.reading import read_result
from xraykit.xvr.trust.target_points import target_points

QUICK = ["--scales", "32", "--scales", "48", "--no-animation"]
AP = {"lao_rao": 170.0, "cra_cau": 5.0, "sod": 700.0}
SIDE = {"lao_rao": 85.0, "cra_cau": 0.0, "sod": 700.0}
OFF = torch.tensor([6.0, -4.0, 8.0], dtype=torch.float64)  # the patient does not lie in the isocentre


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CT with labels, and DICOM X-rays of it from the front and from the side."""
    path = tmp_path_factory.mktemp("patient")
    volume = lopsided()
    hu = (volume.mu / 0.02 - 1) * 1000
    write_volume(path / "ct.nii.gz", hu, volume.affine)
    write_volume(path / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
    read = Volume.from_file(path / "ct.nii.gz")
    for name, angles in (("front", AP), ("side", SIDE)):
        pose = carm_pose(**angles, isocenter=read.center, offset=OFF)
        save_image(path / f"{name}.dcm", render(read, CAMERA, pose), camera=CAMERA, pose=pose, sod=700.0)
        write_pose(path / f"{name}.json", CAMERA, pose)
    return path


@pytest.fixture(autouse=True)
def _small_pictures(monkeypatch):
    monkeypatch.setattr("xraykit.xvr.result.pictures.LONGER_SIDE", 96)
    monkeypatch.setattr("xraykit.xvr.result.animation.LONGER_SIDE", 96)


def command(folder, output, *options, xrays=("front.dcm",)):
    files = [str(folder / name) for name in xrays]
    return run(["xvr", "register", str(folder / "ct.nii.gz"), *files, "-o", str(output), *QUICK, *options])


def error_of(folder, result, name, view=0):
    truth = read_pose(folder / f"{name}.json")[1]
    points = target_points(Volume.from_file(folder / "ct.nii.gz"))
    return float(true_tre(result.poses[0, view][None], truth, fiducials=points))


def test_a_dicom_xray_is_registered_from_its_tags(folder, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert command(folder, out) in DONE
    result = read_result(out / "front")
    assert error_of(folder, result, "front") < 1.0
    assert (result.start_kind, result.structures, result.converged) == ("dicom", ("CT",), True)
    assert result.inputs["xrays"] == [str(folder / "front.dcm")]
    assert 0 <= result.trust.success_probability <= 1
    names = {path.name for path in (out / "front").iterdir()}
    pictures = {"overlay.png", "checkerboard.png", "comparison.png"}
    assert names == {"result.json", "pose.json", "camera_to_world.tfm", "ct_motion.tfm", *pictures}
    assert {path.name for path in out.iterdir()} == {"front", "settings.json"}
    camera, pose = read_pose(out / "front/pose.json")
    assert torch.equal(pose[0], result.poses[0, 0])
    assert camera.width == CAMERA.width
    assert "front: " in capsys.readouterr().out


def test_the_saved_options_give_the_result_again(folder, tmp_path):
    assert command(folder, tmp_path / "a", "--iterations", "3", "--pose", str(folder / "side.json")) in DONE
    config = tmp_path / "a/settings.json"
    assert json.loads(config.read_text())["refinement"]["iterations"] == 3
    assert run(["xvr", "register", "-o", str(tmp_path / "b"), "--config", str(config)]) in DONE
    first, again = (read_result(tmp_path / name / "front") for name in "ab")
    assert torch.equal(first.poses, again.poses)


def test_a_start_that_is_far_off_is_tried_again_from_its_neighbours(folder, tmp_path):
    front = json.loads((folder / "front.json").read_text())
    pose = torch.tensor(front["camera_to_world"], dtype=torch.float64)
    pose[:3, 3] += 25 * pose[:3, 2]
    turn = torch.tensor(24.0).deg2rad().double()
    spin = torch.eye(4, dtype=torch.float64)
    spin[:2, :2] = torch.tensor([[turn.cos(), -turn.sin()], [turn.sin(), turn.cos()]])
    far = tmp_path / "far.json"
    far.write_text(json.dumps({**front, "camera_to_world": (pose @ spin).tolist()}))
    for name, more in (("once", ["--no-spread"]), ("again", [])):
        assert command(folder, tmp_path / name, "--pose", str(far), "--iterations", "12", *more) in DONE
    once, again = (read_result(tmp_path / name / "front") for name in ("once", "again"))
    assert error_of(folder, again, "front") <= error_of(folder, once, "front") + 0.1


def test_init_only_writes_the_start_and_judges_nothing(folder, tmp_path, capsys):
    assert command(folder, tmp_path / "o", "--init-only", "--pose", str(folder / "front.json")) == 0
    result = read_result(tmp_path / "o/front")
    torch.testing.assert_close(result.poses[0], read_pose(folder / "front.json")[1])
    assert (result.trust, result.covariance, result.similarity) == (None, None, None)
    assert result.start_kind == "fixed"
    assert "nothing refined" in capsys.readouterr().out


def test_a_picture_needs_its_geometry_and_a_view(folder, tmp_path):
    picture = tmp_path / "front.png"
    save_image(picture, render(Volume.from_file(folder / "ct.nii.gz"), CAMERA, read_pose(folder / "front.json")[1]))
    options = ["--sdd", "1000", "--pixel-spacing", "4", "--polarity", "log_attenuation", "--field-of-view", "whole"]
    assert command(folder, tmp_path / "o", *options, "--view", "ap", "--sod", "700", xrays=(str(picture),)) in DONE
    result = read_result(tmp_path / "o/front")
    assert (result.cameras[0].sdd, result.start_kind) == (1000.0, "fixed")
    assert error_of(folder, result, "front") < 3.0


def test_an_earlier_result_is_a_start(folder, tmp_path):
    assert command(folder, tmp_path / "a", "--iterations", "2", "--pose", str(folder / "front.json")) in DONE
    assert command(folder, tmp_path / "b", "--init-only", "--result", str(tmp_path / "a/front")) == 0
    first, then = (read_result(tmp_path / name / "front") for name in "ab")
    assert torch.equal(then.start, first.poses[0])
    assert then.start_kind == "result"


def test_landmarks_are_a_start_wherever_the_image_was_cropped(folder, tmp_path):
    pose = read_pose(folder / "front.json")[1]
    world = {"a": [18.0, 8, 20], "b": [-22.0, -10, -26], "c": [0.0, 30, 0], "d": [30.0, -20, -30], "e": [-30.0, 10, 40]}
    points = torch.tensor(list(world.values()), dtype=torch.float64)
    seen = (points - pose[0, :3, 3]) @ pose[0, :3, :3]
    uv = seen[:, :2] / seen[:, 2:] * 1000.0 / 4.0 + torch.tensor([24.0, 20.0])
    rows = [f"{name},{u},{v}" for name, (u, v) in zip(world, uv.tolist(), strict=True)]
    (tmp_path / "x.csv").write_text("\n".join(["name,u,v", *rows]))
    lines = [f"{name},{','.join(map(str, at))}" for name, at in world.items()]
    text = "\n".join(["# CoordinateSystem = RAS", "# columns = label,x,y,z", *lines])
    (tmp_path / "ct.fcsv").write_text(text)
    marks = ["--landmarks-ct", str(tmp_path / "ct.fcsv"), "--landmarks-xray", str(tmp_path / "x.csv")]
    for crop in ("0", "3"):
        assert command(folder, tmp_path / crop, "--init-only", "--crop", crop, *marks) == 0
        result = read_result(tmp_path / crop / "front")
        assert result.start_kind == "landmarks"
        assert error_of(folder, result, "front") < 0.5


def test_structures_get_poses_of_their_own(folder, tmp_path):
    seg = ["--labels", str(folder / "seg.nii.gz"), "--structures", "large;2", "--iterations", "2"]
    assert command(folder, tmp_path / "o", *seg, "--pose", str(folder / "front.json")) in DONE
    result = read_result(tmp_path / "o/front")
    assert result.structures == ("large", "2")
    assert not torch.equal(result.poses[0], result.poses[1])
    assert (tmp_path / "o/front/large.pose.json").exists()
    assert (tmp_path / "o/front/2.relative_motion.tfm").exists()


def test_views_registered_jointly_keep_their_places(folder, tmp_path):
    assert command(folder, tmp_path / "o", "--joint", xrays=("front.dcm", "side.dcm")) in DONE
    result = read_result(tmp_path / "o/joint")
    assert result.views == ("front", "side")
    poses = [read_pose(folder / f"{name}.json")[1][0] for name in result.views]
    relative = rigid_inverse(result.poses[0, 0]) @ result.poses[0, 1]
    torch.testing.assert_close(relative, rigid_inverse(poses[0]) @ poses[1], atol=1e-3, rtol=0)
    assert max(error_of(folder, result, name, v) for v, name in enumerate(result.views)) < 1.0
    assert (tmp_path / "o/joint/side.overlay.png").exists()


def test_files_of_one_name_get_folders_of_their_own(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/front.dcm").write_bytes((folder / "side.dcm").read_bytes())
    files = ("front.dcm", str(tmp_path / "other/front.dcm"))
    assert command(folder, tmp_path / "o", "--init-only", "--start", "dicom", xrays=files) == 0
    assert read_result(tmp_path / "o/front_2").views == ("front_2",)
    assert read_result(tmp_path / "o/front").inputs["xrays"] == [str(folder / "front.dcm")]


def test_an_interrupted_run_leaves_whole_results_and_goes_on(folder, tmp_path, monkeypatch):
    import xraykit.xvr.result.folder as saving

    done, pictures = [], saving.registration_pictures

    def stopped(shot, *args, **kwargs):
        if shot.name == "side" and not done:
            raise KeyboardInterrupt
        done.append(shot.name)
        return pictures(shot, *args, **kwargs)

    monkeypatch.setattr(saving, "registration_pictures", stopped)
    out, xrays = tmp_path / "o", ("side.dcm", "front.dcm")
    options = ["--pose", str(folder / "front.json"), "--iterations", "2"]
    assert command(folder, out, *options, xrays=xrays[::-1]) in DONE
    assert done == ["front", "side"]
    done.clear()
    first = (out / "front/result.json").read_text()
    (out / "side/result.json").unlink()
    for path in (out / "side").iterdir():
        path.unlink()
    assert command(folder, out, *options, "--resume", xrays=xrays) == 130
    assert {path.name for path in out.iterdir()} == {"front", "side", "settings.json"}
    assert not any((out / "side").iterdir())
    done.append("let it pass")
    assert command(folder, out, *options, "--resume", xrays=xrays) in DONE
    assert done == ["let it pass", "side"]  # front was not done again
    assert (out / "front/result.json").read_text() == first
    assert read_result(out / "side").views == ("side",)


def test_going_on_with_other_options_is_refused(folder, tmp_path, capsys):
    assert command(folder, tmp_path / "o", "--init-only") == 0
    before = (tmp_path / "o/front/result.json").read_text()
    assert command(folder, tmp_path / "o", "--init-only", "--sdd", "990", "--resume") == 2
    assert "got others: --sdd; leave --resume out" in capsys.readouterr().err
    assert (tmp_path / "o/front/result.json").read_text() == before


def test_going_on_with_other_xrays_under_the_same_folder_is_refused(folder, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/front.dcm").write_bytes((folder / "side.dcm").read_bytes())
    other = str(tmp_path / "other/front.dcm")
    cases = {"joint": [("front.dcm", "side.dcm"), ("side.dcm", other)], "front": [("front.dcm",), (other,)]}
    for name, (first, then) in cases.items():
        options, out = ["--init-only", *(["--joint"] if name == "joint" else [])], tmp_path / name
        assert command(folder, out, *options, xrays=first) in DONE
        before = (out / name / "result.json").read_bytes()
        assert command(folder, out, *options, "--resume", xrays=first) in DONE  # the same X-rays: taken as they are
        capsys.readouterr()
        assert command(folder, out, *options, "--resume", xrays=then) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"got one of {folder / 'front.dcm'}" in said and "name the X-rays as before" in said
        assert (out / name / "result.json").read_bytes() == before


def test_an_earlier_result_is_replaced_and_anything_else_is_not(folder, tmp_path, capsys):
    out = tmp_path / "o"
    assert command(folder, out, "--init-only") == 0
    assert command(folder, out, "--init-only", "--sdd", "990") == 0
    assert read_result(out / "front").cameras[0].sdd == 990.0
    (tmp_path / "p/front").mkdir(parents=True)
    (tmp_path / "p/front/thesis.txt").write_text("mine")
    assert command(folder, tmp_path / "p", "--init-only") == 2
    assert "something else" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "p/front").iterdir()] == ["thesis.txt"]


def test_the_refinement_can_be_watched(folder, tmp_path):
    options = [option for option in QUICK if option != "--no-animation"]
    xray = [str(folder / "ct.nii.gz"), str(folder / "front.dcm"), "-o", str(tmp_path / "o")]
    assert run(["xvr", "register", *xray, *options, "--pose", str(folder / "front.json")]) in DONE
    with Image.open(tmp_path / "o/front/convergence.gif") as gif:
        assert gif.n_frames > 1


def test_help_teaches_and_loads_no_torch():
    code = (
        "import sys\nsys.argv = ['xraykit', 'xvr', 'register', '--help']\n"
        "from xraykit.render.cli.umbrella import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code, stop.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "xraykit xvr register ct.nii.gz xray.dcm -o out" in done.stdout
    assert "--search-lao-rao" in done.stdout


def test_one_bad_xray_of_many_is_left_out_named_at_the_end_and_told_by_the_exit_status(folder, tmp_path, capsys):
    (folder / "torn.dcm").write_bytes((folder / "side.dcm").read_bytes()[:900])
    Image.new("L", (64, 64), 9).save(folder / "plain.png")  # says nothing of its geometry
    options = ("--init-only", "--pose", str(folder / "side.json"))
    names = ("torn.dcm", "front.dcm", "plain.png", "side.dcm")
    assert command(folder, tmp_path / "out", *options, xrays=names) == 3
    warned = [line for line in capsys.readouterr().err.splitlines() if "was left out" in line]
    assert len(warned) == 2
    assert "torn.dcm was left out: " in warned[0]
    assert "plain.png states no source to detector distance" in warned[1]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"front", "side", "settings.json"}


def test_starts_stay_with_their_xrays_when_one_between_them_is_left_out(folder, tmp_path):
    (folder / "torn.dcm").write_bytes(b"no X-ray")
    poses = ("--pose", str(folder / "front.json"), str(folder / "front.json"), str(folder / "side.json"))
    names = ("front.dcm", "torn.dcm", "side.dcm")
    assert command(folder, tmp_path / "out", "--init-only", *poses, xrays=names) == 3
    for name in ("front", "side"):
        assert torch.equal(read_result(tmp_path / "out" / name).poses[0, 0], read_pose(folder / f"{name}.json")[1][0])


def test_a_job_without_one_good_xray_or_with_a_missing_file_is_a_mistake(folder, tmp_path, capsys):
    for name in ("torn.dcm", "torn_too.dcm"):
        (folder / name).write_bytes(b"no X-ray")
    assert command(folder, tmp_path / "out", "--init-only", xrays=("torn.dcm", "torn_too.dcm")) == 2
    assert command(folder, tmp_path / "out", "--init-only", xrays=("front.dcm", "absent.dcm")) == 2
    assert "absent.dcm" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("chance", "status"), [(0.1, 4), (0.6, 0), (0.95, 0)])
def test_the_exit_status_tells_that_a_verdict_is_failed(folder, tmp_path, monkeypatch, chance, status):
    trust = TrustJudgement(chance, 5.0, 1.0)
    monkeypatch.setattr("xraykit.xvr.procedure.judge", lambda *_, **__: trust)
    options = ("--no-spread", "--iterations", "1", "--pose", str(folder / "front.json"))
    assert command(folder, tmp_path / "out", *options) == status
    assert read_result(tmp_path / "out/front").trust.verdict == trust.verdict


def test_a_failed_verdict_outweighs_xrays_that_were_left_out():
    pose = torch.eye(4, dtype=torch.float64)[None]
    start = ResultRecord(("CT",), ("x",), pose[None], pose, (CAMERA,), "fixed")
    failed = replace(start, trust=TrustJudgement(0.2, 5.0, 1.0))
    assert [status_of(records, 3) for records in ((), (start,), (start, failed))] == [3, 3, 4]
    assert {1, 2, INCOMPLETE, 130}.isdisjoint({FAILED})
