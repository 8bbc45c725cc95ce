"""Every mistake at the shell is answered in one sentence, exit 2, and nothing written; every option arrives."""

from dataclasses import fields

import numpy as np
import pytest
from support.registrations import CAMERA, lopsided
from xraykit.render import InputError, carm_pose, render, save_image, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.storage import from_plain
from xraykit.xvr import file_registration
from xraykit.xvr.start.checks import check_start, implied_starts, start_of
from xraykit.xvr.start.settings import StartSettings, StatedStart
from xraykit.xvr.xray.settings import XraySettings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CT, labels, a DICOM X-ray with tags, a picture without, and wrong files."""
    path = tmp_path_factory.mktemp("mistakes")
    volume = lopsided()
    write_volume(path / "ct.nii.gz", (volume.mu / 0.02 - 1) * 1000, volume.affine)
    write_volume(path / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
    between = volume.affine.clone()
    between[:3, 3] += 0.4 * volume.spacing
    write_volume(path / "other.nii.gz", volume.labels, between)
    pose = carm_pose(lao_rao=170.0, sod=700.0, isocenter=volume.center)
    image = render(volume, CAMERA, pose)
    save_image(path / "x.dcm", image, camera=CAMERA, pose=pose, sod=700.0)
    save_image(path / "x.png", image)
    write_pose(path / "p.json", CAMERA, pose)
    (path / "broken.dcm").write_bytes(b"\x00" * 132 + b"no dicom")
    np.save(path / "weights.pth", np.array(["no weights"]))
    (path / "empty.fcsv").write_text("# CoordinateSystem = RAS\n# columns = label,x,y,z\n")
    (path / "points.csv").write_text("name,u,v\na,1,2\n")
    (path / "file").write_text("in the way")
    return path


MISTAKES = [
    ("none.nii.gz x.dcm", "none.nii.gz"),
    ("ct.nii.gz none.dcm", "none.dcm"),
    ("ct.nii.gz broken.dcm", "broken.dcm"),
    ("ct.nii.gz x.png --pose p.json", "give it with --sdd MM"),
    ("ct.nii.gz x.png --pose p.json --sdd 1000 --pixel-spacing -4", "pixel_spacing must be positive"),
    ("ct.nii.gz x.dcm --labels other.nii.gz", "other.nii.gz"),
    ("ct.nii.gz x.dcm --structures large", "--structures needs a label map"),
    ("ct.nii.gz x.dcm --labels seg.nii.gz --structures liver", "no label matches 'liver'"),
    ("ct.nii.gz x.dcm --labels seg.nii.gz --structures 9", "labels must occur in the volume"),
    ("ct.nii.gz x.dcm --labels seg.nii.gz --structures ;", "must name labels"),
    ("ct.nii.gz x.dcm --start network", "--start network needs --network, got none"),
    ("ct.nii.gz x.dcm --start landmarks", "--start landmarks needs --landmarks-ct, got none"),
    ("ct.nii.gz x.dcm --start fixed", "--start fixed needs one of --view"),
    ("ct.nii.gz x.dcm --view ap --lao-rao 3", "--start fixed needs one of --view"),
    ("ct.nii.gz x.dcm --start dicom --view ap", "--view belongs to --start fixed, got --start dicom"),
    ("ct.nii.gz x.dcm --view nose", "no view is called 'nose'"),
    ("ct.nii.gz x.dcm --joint", "--joint needs two X-rays or more"),
    ("ct.nii.gz x.dcm x.png --joint --sdd 1000 --pixel-spacing 4", "--joint needs the views' places"),
    ("ct.nii.gz x.dcm --pose p.json --pose p.json", "--pose must be given once, or once for each of 1 X-rays, got 2"),
    ("ct.nii.gz x.dcm --pose none.json", "none.json"),
    ("ct.nii.gz x.dcm --result none.json", "a result was expected at"),
    ("ct.nii.gz x.dcm --network weights.pth", "weights.pth"),
    ("ct.nii.gz x.dcm --landmarks-ct empty.fcsv", "landmarks come in pairs"),
    ("ct.nii.gz x.dcm --landmarks-ct empty.fcsv --landmarks-xray points.csv", "empty.fcsv"),
    ("ct.nii.gz x.dcm --scales 64 --scales 32", "scales must grow"),
    ("ct.nii.gz x.dcm --iterations 0", "iterations must be 1 or more"),
    ("ct.nii.gz x.dcm --start search --search-lao-rao 20 10", "range from low to high"),
    ("ct.nii.gz x.dcm --crop 30", "crop must lie"),
]


@pytest.mark.parametrize(("words", "sentence"), MISTAKES, ids=[words for words, _ in MISTAKES])
def test_mistakes_exit_2_and_write_nothing(folder, tmp_path, capsys, words, sentence):
    arguments = [str(folder / word) if (folder / word).exists() or "none." in word else word for word in words.split()]
    assert run(["xvr", "register", *arguments, "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_an_output_in_the_way_is_refused_before_anything_is_read(folder, capsys):
    arguments = [str(folder / "none.nii.gz"), str(folder / "x.dcm"), "-o", str(folder / "file" / "out")]
    assert run(["xvr", "register", *arguments]) == 2
    assert "must be a folder that can be made" in capsys.readouterr().err


def test_every_option_of_an_xray_reaches_its_setting(folder, tmp_path, monkeypatch):
    import xraykit.xvr.file_registration as reading

    class SeenError(Exception):
        """The settings have arrived."""

    def stop(path, settings, *, name, choice):
        raise SeenError(settings)

    monkeypatch.setattr(reading, "shots_of", stop)
    asked = XraySettings(
        sdd=900.0, pixel_spacing=0.5, principal_point=(3.0, 4.0), polarity="intensity", frame=2, reduce="max", crop=7,
        mirror=False, subtract_background=True, field_of_view="tags", colour="luma",
    )  # fmt: skip
    options = (
        "--sdd 900 --pixel-spacing 0.5 --principal-point 3 4 --polarity intensity --frame 2 --reduce max --crop 7 "
        "--no-mirror --subtract-background --field-of-view tags --colour luma --pose p.json"
    )
    with pytest.raises(SeenError) as caught:
        run(["xvr", "register", str(folder / "ct.nii.gz"), "x.dcm", "-o", str(tmp_path / "o"), *options.split()])
    assert caught.value.args[0] == asked
    assert all(getattr(asked, f.name) != f.default for f in fields(asked) if f.name != "details")


def asked(options):
    return from_plain(StartSettings, options)


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, ()),
        ({"view": "ap"}, ("fixed",)),
        ({"lao_rao": [3.0]}, ("fixed",)),
        ({"network": {"source": "w"}}, ("network",)),
        ({"result": ["r"]}, ("result",)),
        ({"landmarks_ct": ["m"], "landmarks_xray": ["x"]}, ("landmarks",)),
        ({"search_roll": [0.0, 5.0]}, ("search",)),
        ({"network": {"source": "w"}, "search_roll": [0.0, 5.0]}, ("network", "search")),
    ],
)
def test_options_imply_their_start(options, kinds):
    assert implied_starts(asked(options)) == kinds
    check_start(asked(options))


def test_jointly_a_pose_may_only_say_where_the_views_are():
    check_start(asked({"kinds": ["search"], "pose": ["a", "b"]}), views=2)
    with pytest.raises(InputError, match="--pose belongs to --start fixed"):
        check_start(asked({"kinds": ["search"], "pose": ["a", "b"]}))


def test_an_option_is_given_once_or_for_each_xray():
    def own(values, numbers):
        return start_of(StartSettings(stated=StatedStart(lao_rao=values)), numbers, 2).stated.lao_rao

    assert own((7.0,), (0, 1)) == (7.0,)
    assert own((7.0, 8.0), (1,)) == (8.0,)
    with pytest.raises(InputError, match="once for each of 2 X-rays, got 3"):
        own((1.0, 2.0, 3.0), (0,))


def test_a_doubtful_camera_is_said_before_the_work_and_once(folder, tmp_path, monkeypatch, capsys):
    begin = ["xvr", "register", str(folder / "ct.nii.gz"), str(folder / "x.png"), "--view", "ap"]
    camera = ["--sdd", "9000", "--pixel-spacing", "4", "--init-only"]
    assert run([*begin, *camera, "-o", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().err.count("distance of 9000 mm") == 1

    def stop(*_, **__):
        raise InputError("stopped here.")

    monkeypatch.setattr(file_registration, "register_xrays", stop)
    assert run([*begin, *camera, "-o", str(tmp_path / "b")]) == 2
    said = capsys.readouterr().err
    assert said.index("distance of 9000 mm") < said.index("stopped here")
