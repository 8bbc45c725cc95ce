"""Studies draw the same starts for all methods and judge by the true pose; results on disk are judged alike."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from support.registration_sets import write_remixed
from xraykit.render import InputError, render, torso
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import read_rows, write_rows
from xraykit.xvr.evaluate.datasets.remixed import Remixed
from xraykit.xvr.evaluate.metrics import true_tre
from xraykit.xvr.evaluate.pose_rows import PoseRow
from xraykit.xvr.evaluate.rows import score_poses
from xraykit.xvr.evaluate.run import collect_results, run_study
from xraykit.xvr.evaluate.simulated import SimulatedDataset, SimulatedViews
from xraykit.xvr.evaluate.study import RegistrationStudy
from xraykit.xvr.result.record import ResultRecord, write_result
from xraykit.xvr.start.start_errors import displaced_pose


@pytest.fixture(scope="module")
def leg(tmp_path_factory):
    path = tmp_path_factory.mktemp("femur")
    write_remixed(path, "femur", reverse=False)
    return Remixed(path, "femur", crop=5)


@pytest.fixture(scope="module")
def chest():
    return SimulatedDataset(torso(spacing=8.0), SimulatedViews(count=2, size=48, shutter=0.8))


def recorder(seen: list, *, keep: float):
    """A registrar that returns the start, its similarity `keep`, and writes down what it was given."""

    def run(shot, volume, start):
        seen.append((shot, volume, start))
        return SimpleNamespace(poses=start[None], similarity=keep, seconds=1.5)

    return run


def test_every_method_gets_the_same_starts_and_levels_scale_them(leg):
    first, second = [], []
    methods = {"a": recorder(first, keep=0.1), "b": recorder(second, keep=0.2)}
    done = []
    rows = score_poses(
        run_study(leg, methods, RegistrationStudy(levels=(1.0, 2.0)), progress=lambda *c: done.append(c))
    )
    assert [float((a[2] - b[2]).abs().max()) for a, b in zip(first, second, strict=True)] == [0.0, 0.0]
    assert not torch.allclose(first[0][2], first[1][2])
    assert done == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert [(r.method, r.level, r.estimate) for r in rows[:4]] == [
        ("a", 1.0, "initial"),
        ("a", 1.0, "final"),
        ("b", 1.0, "initial"),
        ("b", 1.0, "final"),
    ]
    subject = leg.subject("subject01")
    expected = true_tre(first[0][2], subject.xray("000").pose[None], fiducials=subject.fiducials)
    assert rows[0].true_tre == rows[1].true_tre == pytest.approx(float(expected))
    assert rows[1].similarity == 0.1 and rows[1].seconds == 1.5 and math.isnan(rows[0].similarity)


def test_a_registration_that_finds_the_truth_has_no_error(leg):
    truth = leg.subject("subject01").xray("000").pose

    def oracle(shot, volume, start):
        return SimpleNamespace(poses=truth[None, None], similarity=1.0, seconds=0.1)

    rows = score_poses(run_study(leg, {"oracle": oracle}, RegistrationStudy(levels=(1.0,))))
    assert rows[0].true_tre > 1 and rows[1].true_tre == pytest.approx(0, abs=1e-9) == pytest.approx(rows[1].mpe)


def test_errors_follow_from_rows_that_were_written_and_read_back(leg, tmp_path):
    """Two passes: what poses.json holds is enough to judge, to the last bit."""
    poses = run_study(leg, {"a": recorder([], keep=0.5)}, RegistrationStudy(levels=(1.0, 2.0)))
    read = read_rows(write_rows(tmp_path / "poses.json", poses), PoseRow)
    assert repr(score_poses(read)) == repr(score_poses(poses))
    assert len({row.inputs for row in read}) == 1 and len(read[0].inputs) == 64
    camera = leg.subject("subject01").xray("000").shot.camera
    assert read[0].intrinsics().height == camera.height and read[0].camera[0] == camera.sdd_mm


def test_rows_without_whole_poses_are_refused(leg):
    (row,) = run_study(leg, {"a": recorder([], keep=0.5)}, RegistrationStudy(levels=(1.0,)))
    for change in ({"truth": row.truth[:12]}, {"fiducials": row.fiducials[:-1]}, {"camera": ()}):
        with pytest.raises(InputError, match="must have whole poses, camera, center and fiducials"):
            replace(row, **change)


def test_labels_leave_only_the_structure(leg):
    seen = []
    run_study(leg, {"a": recorder(seen, keep=0.0)}, RegistrationStudy(levels=(1.0,), labels=(3,)))
    mask = leg.subject("subject01").volume.labels == 3
    volume = seen[0][1]
    assert bool((volume.mu[~mask] == 0).all()) and bool((volume.mu[mask] > 0).all())


def test_studies_of_nothing_are_refused(leg):
    with pytest.raises(InputError, match="at least one method"):
        run_study(leg, {}, RegistrationStudy())
    with pytest.raises(InputError, match=r"different levels, got \(1.0, 1.0\)"):
        RegistrationStudy(levels=(1.0, 1.0))


def write_record(folder, xray, shift: float, *, view: str = "000", structure: str = "patient"):
    displacement = torch.tensor([[0, 0, 0, 0, 0, shift]], dtype=torch.float64)
    found = displaced_pose(xray.pose[None], torch.zeros(3), displacement)
    start = displaced_pose(xray.pose[None], torch.zeros(3), 10 * displacement)
    folder.mkdir(parents=True)
    write_result(
        folder / "result.json",
        ResultRecord(
            (structure,), (view,), found[None], start, (xray.shot.camera,), "fixed", similarity=0.5, seconds=3.0
        ),
    )


def test_results_on_disk_are_judged_by_their_subject_and_view(leg, tmp_path):
    xray = leg.subject("subject01").xray("000")
    write_record(tmp_path / "ours" / "subject01" / "000", xray, 2.0)
    write_record(tmp_path / "other" / "000", xray, 4.0)  # one subject only: its name is not needed
    poses, notes = collect_results(leg, {name: tmp_path / name for name in ("ours", "other")})
    rows = score_poses(poses)
    assert notes == ()
    assert [(r.method, r.estimate, round(r.true_tre, 4)) for r in rows] == [
        ("ours", "initial", 20.0),
        ("ours", "final", 2.0),
        ("other", "initial", 40.0),
        ("other", "final", 4.0),
    ]
    assert rows[1].subject == "subject01" and rows[1].similarity == 0.5 and math.isnan(rows[1].level)


def test_results_of_nobody_are_refused(leg, tmp_path):
    xray = leg.subject("subject01").xray("000")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold results of xvr register \(result.json\), got none"):
        collect_results(leg, {"empty": tmp_path / "empty"})
    write_record(tmp_path / "ours" / "subject01" / "777", xray, 1.0, view="777")
    with pytest.raises(ValueError, match="must be of an X-ray of subject01, got '777'"):
        collect_results(leg, {"ours": tmp_path / "ours"})


def test_one_damaged_result_or_xray_of_many_is_left_out_and_named(leg, tmp_path):
    xray = leg.subject("subject01").xray("000")
    write_record(tmp_path / "ours" / "subject01" / "000", xray, 2.0)
    torn = tmp_path / "ours" / "subject01" / "001" / "result.json"
    torn.parent.mkdir()
    torn.write_text("{")
    left_out = LeftOut()
    poses, _ = collect_results(leg, {"ours": tmp_path / "ours"}, left_out=left_out)
    assert len(poses) == 1 and [name for name, _ in left_out.found] == [str(torn)]

    def unlucky(shot, volume, start):
        raise InputError("nothing can be compared.")

    with pytest.raises(InputError, match="nothing can be compared"):
        run_study(leg, {"a": unlucky}, RegistrationStudy(), left_out=LeftOut())


def test_a_simulated_x_ray_is_noisy_collimated_and_taken_from_its_pose(chest):
    subject = chest.subject("simulated")
    xray = subject.xray("001")
    shot = xray.shot
    drr = render(subject.volume, shot.camera, xray.pose[None], method="trilinear", samples=150, backend="torch")[0, 0]
    pair = torch.stack([drr[shot.valid], shot.image[shot.valid]])
    assert float(torch.corrcoef(pair)[0, 1]) > 0.95
    assert 0.6 < float(shot.valid.float().mean()) < 0.7
    assert subject.xrays == ("000", "001") and not torch.allclose(xray.pose, subject.xray("000").pose)


def test_simulated_x_rays_are_the_same_for_the_same_seed(chest):
    again = SimulatedDataset(chest.volume, chest.views).subject("simulated").xray("000")
    first = chest.subject("simulated").xray("000")
    assert torch.equal(first.shot.image, again.shot.image) and torch.equal(first.pose, again.pose)
    other = SimulatedDataset(chest.volume, SimulatedViews(count=2, size=48, seed=1)).subject("simulated").xray("000")
    assert not torch.allclose(first.pose, other.pose)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "at least one X-ray"),
        ({"sod": 2000.0}, "sod must lie between 0 and sdd, got sod=2000.0 mm and sdd=1020.0 mm"),
        ({"shutter": 0.0}, "0.1 to 1 of the image open, got 0.0"),
    ],
)
def test_views_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        SimulatedViews(**options)
