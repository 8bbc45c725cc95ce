"""Runs of numbered images are read in order; frames missing, repeated or of several runs are said in a sentence."""

import numpy as np
import pytest
from PIL import Image
from xraykit.render import FileError, InputError
from xraykit.xvr import XraySettings
from xraykit.xvr.tracking.cine import read_runs
from xraykit.xvr.tracking.settings import CineSettings
from xraykit.xvr.xray import XrayDetails
from xraykit.xvr.xray.runs import read_run

HOW = XraySettings(
    sdd=1000.0, pixel_spacing=1.0, polarity="intensity", field_of_view="whole", details=XrayDetails(burnt_in=False)
)


def image(path, level):
    pixels = np.full((20, 24), 900 + level, np.uint16)
    pixels[5:15, 5 : 15 + level % 5] = 100 + level
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def folder(path, *names):
    for n, name in enumerate(names):
        image(path / name, 10 * n)
    return path


def test_images_come_in_the_order_of_their_numbers(tmp_path):
    run = read_run(folder(tmp_path / "cam1", "f9.png", "f11.png", "f10.png"), HOW, name="cam1")
    assert (run.labels, run.numbers) == (("f9", "f10", "f11"), (0, 1, 2))
    assert run.shot(1).name == "cam1_f10" and run.shot(1).source.name == "f10.png"


def test_steps_of_ten_count_as_one(tmp_path):
    assert read_run(folder(tmp_path / "run", "000.png", "010.png", "020.png"), HOW, name="a").numbers == (0, 1, 2)


def test_what_is_no_numbered_image_is_left_alone(tmp_path):
    path = folder(tmp_path / "run", "1.png", "2.png")
    (path / "notes 3.txt").write_text("")
    (path / "calibration.txt").write_text("")
    assert read_run(path, HOW, name="a").labels == ("1", "2")


def test_a_missing_frame_is_said_or_left_out(tmp_path):
    path = folder(tmp_path / "run", "000.png", "010.png", "030.png", "040.png")
    with pytest.raises(InputError, match=r"in steps of 10 .* got nothing between 010.png and 030.png; add .*--uneven"):
        read_run(path, HOW, name="a")
    assert read_run(path, HOW, name="a", uneven=True).numbers == (0, 1, 3, 4)


def test_a_frame_given_twice_is_said(tmp_path):
    path = folder(tmp_path / "run", "08.png", "9.png", "09.png", "10.png")
    with pytest.raises(InputError, match=r"every frame once, got both 09.png and 9.png; move one away"):
        read_run(path, HOW, name="a", uneven=True)


def test_a_repeated_image_is_said_or_left_out(tmp_path):
    path = folder(tmp_path / "run", "0.png", "1.png", "2.png", "3.png")
    (path / "2.png").write_bytes((path / "1.png").read_bytes())
    with pytest.raises(InputError, match=r"got the same image in 1 and 2; take the copy away, or give --uneven"):
        read_run(path, HOW, name="a")
    assert read_run(path, HOW, name="a", uneven=True).labels == ("0", "1", "3")


def test_several_runs_in_a_folder_are_told_apart_by_a_pattern(tmp_path):
    path = folder(tmp_path / "knee", "0001.png", "0002.png", "0001_fem.png", "0002_fem.png")
    with pytest.raises(InputError, match=r"must hold one run, got # \(2\), #_fem \(2\); name one by a pattern"):
        read_run(path, HOW, name="a")
    assert read_run(path / "????_fem.png", HOW, name="a").labels == ("0001_fem", "0002_fem")


def test_no_images_one_image_and_one_frame_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="must hold images with numbers in their names"):
        read_run(tmp_path / "empty", HOW, name="a")
    path = folder(tmp_path / "run", "1.png")
    with pytest.raises(InputError, match=r"must hold several frames, got 1\.png alone"):
        read_run(path, HOW, name="a")
    with pytest.raises(InputError, match="must hold several frames, got one"):
        read_run(path / "1.png", HOW, name="a")


def test_views_with_other_frames_are_said_or_cut_to_what_both_have(tmp_path):
    views = [folder(tmp_path / "cam1", "0.png", "1.png", "2.png"), folder(tmp_path / "cam2", "0.png", "1.png")]
    with pytest.raises(InputError, match=r"all views must hold the same frames, got 3 in .*cam1 and 2 in .*cam2"):
        read_runs(views, HOW, CineSettings())
    runs = read_runs(views, HOW, CineSettings(uneven=True, frames_per_second=10.0))
    assert (runs.names, runs.labels, runs.times) == (("cam1", "cam2"), ("0", "1"), (0.0, 0.1))
    assert [len(frame.shots) for frame in runs.frames()] == [2, 2]


def test_first_and_last_choose_frames_and_must_leave_some(tmp_path):
    view = [folder(tmp_path / "run", *(f"{n}.png" for n in range(5)))]
    assert read_runs(view, HOW, CineSettings(first=1, last=3)).labels == ("1", "2", "3")
    with pytest.raises(InputError, match="two frames or more must be followed, got 0 from 7 to 9 of 5"):
        read_runs(view, HOW, CineSettings(first=7, last=9))
    with pytest.raises(InputError, match="a track takes every frame, got --frame or --reduce"):
        read_runs(view, XraySettings(frame=2), CineSettings())


def test_a_blank_frame_comes_without_xrays_and_says_why(tmp_path):
    path = folder(tmp_path / "run", "0.png", "1.png", "2.png")
    Image.fromarray(np.full((20, 24), 7, np.uint16)).save(path / "1.png")
    frames = list(read_runs([path], HOW, CineSettings()).frames())
    assert [len(frame.shots) for frame in frames] == [1, 0, 1]
    assert "nothing to compare" in frames[1].fault
