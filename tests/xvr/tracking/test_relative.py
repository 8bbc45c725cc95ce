"""Motions of bodies against each other, their tables, plots and the video hold what the track holds."""

import csv
import math

import pytest
import torch
from PIL import Image
from xraykit.render import FileError, InputError, Volume
from xraykit.render.geometry import rigid_inverse, rigid_matrix, rotation_about
from xraykit.xvr import Structure
from xraykit.xvr.refine import NamedStructures
from xraykit.xvr.tracking import BoneAxes, KneeAxes, Track, TrackedFrame, read_knee, relative_motions, write_motion
from xraykit.xvr.tracking.journal import TrackHeader, begin_journal, read_track
from xraykit.xvr.tracking.plots import plot_motion, plot_poses
from xraykit.xvr.tracking.relative import knee_of_ct

AXES = {"right": (1.0, 0.0, 0.0), "proximal": (0.0, 0.0, 1.0)}
KNEE = KneeAxes("right", BoneAxes("thigh", **AXES), BoneAxes("shank", **AXES))
COUNT = 5


def turned(axis, degrees, shift=(0.0, 0.0, 0.0)):
    angle = torch.tensor(math.radians(degrees), dtype=torch.float64)
    return rigid_matrix(rotation_about(axis, angle), torch.tensor(shift, dtype=torch.float64))


def bent_knee() -> Track:
    """Flexion grows by 10 degrees a frame while the thigh moves about; the shank is lost in the third frame."""
    frames = []
    for n in range(COUNT):
        thigh = turned("Y", 7.0 * n, (3.0 * n, 0.0, 700.0))
        poses = torch.stack([rigid_inverse(one) for one in (thigh, thigh @ turned("X", -10.0 * n))])[:, None]
        lost = n == 2
        poses[1] = torch.nan if lost else poses[1]
        verdicts = ("tracked", "lost" if lost else "tracked")
        frames.append(TrackedFrame(n, f"{n:02}", None, poses, (0.8, 0.7), (None, 0.9), verdicts))
    return Track(("thigh", "shank"), ("a",), torch.zeros(2, 3, dtype=torch.float64), (40.0, 40.0), tuple(frames))


def test_a_knee_is_told_in_joint_coordinates():
    (motion,) = relative_motions(bent_knee(), KNEE)
    assert (motion.kind, motion.body, motion.reference) == ("knee", "shank", "thigh")
    known = [0, 1, 3, 4]
    torch.testing.assert_close(motion.values["flexion_deg"][known], torch.tensor([0.0, 10, 30, 40]).double())
    assert all(bool(values[2].isnan()) for values in motion.values.values())
    assert float(motion.values["adduction_deg"][known].abs().max()) < 1e-9


def test_any_other_pair_is_told_as_a_screw():
    (motion,) = relative_motions(bent_knee())
    assert motion.kind == "screw"
    torch.testing.assert_close(motion.values["turn_deg"][[1, 4]], torch.tensor([10.0, 40.0]).double())
    assert float(motion.values["axis_x"][4]) == pytest.approx(-1.0)


def test_a_body_that_is_not_followed_is_refused():
    with pytest.raises(InputError, match="--knee must name two of the bodies thigh, shank, got thigh and patella"):
        relative_motions(bent_knee(), KneeAxes("left", KNEE.femur, BoneAxes("patella", **AXES)))


def test_axes_are_read_from_a_file_and_strange_ones_refused(tmp_path):
    text = "side: {}\nfemur: {{body: thigh, right: [1, 0, 0], proximal: [0, 0, 1]}}\n"
    text += "tibia: {{body: shank, right: [1, 0, 0], proximal: [0, 0, 1]}}\n"
    path = tmp_path / "knee.yaml"
    path.write_text(text.format("right"))
    assert read_knee(path) == KNEE
    path.write_text(text.format("both"))
    with pytest.raises(FileError, match="side"):
        read_knee(path)


def test_a_ct_names_its_knee_and_counts_from_its_own_pose():
    affine = torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0], dtype=torch.float64))
    mu = torch.zeros(60, 10, 10)
    upper, lower = mu.clone(), mu.clone()
    upper[32:, 2:6, 2:6], lower[:28, 2:6, 2:6] = 0.02, 0.02
    named = {name: Structure.of(Volume(part, affine)) for name, part in (("femur_left", upper), ("tibia_left", lower))}
    knee = knee_of_ct(NamedStructures(named))
    assert knee is not None and (knee.side, knee.femur.body, knee.tibia.body) == ("left", "femur_left", "tibia_left")
    assert knee.femur.origin == knee.tibia.origin
    assert knee.femur.origin == pytest.approx((7.0, 7.0, 59.0), abs=1.1)
    assert knee_of_ct(NamedStructures({"femur_left": named["femur_left"], "tibia_right": named["tibia_left"]})) is None


def test_tables_hold_what_the_motion_holds(tmp_path):
    track = bent_knee()
    (motion,) = relative_motions(track, KNEE)
    with write_motion(tmp_path / "motion.csv", track, motion).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [frame.label for frame in track.frames]
    assert float(rows[3]["flexion_deg"]) == pytest.approx(30.0) and rows[2]["flexion_deg"] == rows[2]["m00"] == ""


def test_a_journal_gives_the_track_back_and_strangers_are_refused(tmp_path):
    track = bent_knee()
    header = TrackHeader(track.bodies, track.views, track.pivots, track.radii)
    begin_journal(tmp_path / "frames.jsonl", header, track.frames)
    again = read_track(tmp_path)
    torch.testing.assert_close(again.body_to_camera, track.body_to_camera, equal_nan=True)
    assert [frame.verdicts for frame in again.frames] == [frame.verdicts for frame in track.frames]
    lines = (tmp_path / "frames.jsonl").read_text().splitlines()
    for text, said in (
        ('{"format": "other"}\n', "must say"),
        (f"{lines[0]}\n{lines[1].replace('tracked', 'guessed')}\n", "unknown verdicts"),
        (f"{lines[0]}\n{lines[3].replace('lost', 'tracked')}\n", "do not fit its verdicts"),
    ):
        (tmp_path / "other.jsonl").write_text(text)
        with pytest.raises(FileError, match=said):
            read_track(tmp_path / "other.jsonl")


def test_smoothing_leaves_what_was_found(tmp_path):
    track = bent_knee()
    smooth = track.smooth(2)
    assert smooth.smoothed and not track.smoothed
    torch.testing.assert_close(smooth.body_to_camera, track.body_to_camera, equal_nan=True, atol=0.5, rtol=0)
    with pytest.raises(InputError, match="smooth what was found over 1 frame or more"):
        smooth.smooth(1)


def test_plots_are_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra evaluate")
    track = bent_knee()
    for path in (
        plot_poses(tmp_path / "poses.png", track, track.smooth(1)),
        plot_motion(tmp_path / "knee.png", track, relative_motions(track, KNEE)),
        plot_motion(tmp_path / "screw.png", track, relative_motions(track)),
    ):
        with Image.open(path) as picture:
            assert min(picture.size) > 300
