"""`render drr` does what the library does, names every mistake, and writes nothing when it refuses."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.render import Camera, OutputError, Volume, carm_pose, read_pose, render, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.volumes import Box, Ellipsoid, voxelise

SMALL = ["--size", "12", "16", "--pixel-spacing", "12", "--samples", "40", "--backend", "torch"]


@pytest.fixture
def ct(tmp_path):
    """A lopsided CT: a box of water with a dense ball at the patient's right, front, top; label 1 is the ball."""
    grid = {"affine": torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0])), "shape": (20, 16, 18), "supersampling": 1}
    grid["affine"][:3, 3] = torch.tensor([-34.0, -30.0, -38.0])
    ball = Ellipsoid((9, 9, 9), mu=1.0, center=(18, 14, 22))
    inside = voxelise([ball], **grid).mu > 0
    water = voxelise([Box((60, 50, 70), mu=1.0)], **grid).mu > 0
    hu = torch.where(water, 0.0, -1000.0).masked_fill(inside, 800.0)
    write_volume(tmp_path / "ct.nii.gz", hu, grid["affine"])
    write_volume(tmp_path / "seg.nii.gz", inside.to(torch.uint8), grid["affine"], label_names={1: "ball"})
    return tmp_path / "ct.nii.gz"


def command(ct, output, *options):
    return run(["render", "drr", str(ct), "-o", str(output), *options])


def expected(ct, **angles):
    volume = Volume.from_file(ct)
    camera = Camera(sdd=1020.0, height=12, width=16, pixel_spacing=12.0)
    pose = carm_pose(**angles, sod=850.0, isocenter=volume.center)
    return render(volume, camera, pose, samples=40, backend="torch").numpy()


def test_npy_holds_what_the_library_renders(ct, tmp_path, capsys):
    out = tmp_path / "a.npy"
    assert command(ct, out, "--lao-rao", "25", "--cra-cau", "-10", "--roll", "5", *SMALL) == 0
    image = np.load(out)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, expected(ct, lao_rao=25.0, cra_cau=-10.0, roll=5.0), atol=1e-6)
    assert image.max() > 0.5
    assert "wrote" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--sdd", "10.2", "--sod", "7", "--pixel-spacing", "300"),
            "no X-ray machine has a source to detector distance",
        ),
        (("--sod", "20"), "the source lies inside the volume"),
        ((), ""),
    ],
)
def test_a_camera_that_cannot_be_is_doubted(ct, tmp_path, capsys, options, words):
    small = ("--size", "12", "16", "--pixel-spacing", "4", "--samples", "20", "--backend", "torch")
    assert command(ct, tmp_path / "a.npy", *small, *options) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning: " in line and "ct.nii.gz" not in line]
    assert bool(warned) is bool(words) and words in "".join(warned)


def test_view_ap_is_the_default_and_the_only_view_without_options(ct, tmp_path):
    assert command(ct, tmp_path / "a.npy", *SMALL) == command(ct, tmp_path / "b.npy", "--view", "ap", *SMALL) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.load(tmp_path / "b.npy"))
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), expected(ct, lao_rao=180.0), atol=1e-6)


def test_every_length_reaches_the_camera(ct, tmp_path):
    lengths = ["--sod", "600", "--sdd", "900", "--offset", "5", "-6", "7"]
    assert command(ct, tmp_path / "a.npy", "--view", "lateral_left", *lengths, *SMALL) == 0
    camera, pose = read_pose(tmp_path / "a.pose.json")
    assert (camera.sdd, camera.height, camera.width, tuple(camera.pixel_spacing)) == (900, 12, 16, (12, 12))
    source = Volume.from_file(ct).center + torch.tensor([5.0 + 600, -6.0, 7.0])
    torch.testing.assert_close(pose[0, :3, 3], source.double(), atol=1e-3, rtol=0)


def test_pose_json_of_a_result_gives_the_result_again(ct, tmp_path):
    assert command(ct, tmp_path / "a.npy", "--lao-rao", "30", *SMALL) == 0
    again = ["--pose", str(tmp_path / "a.pose.json"), "--samples", "40", "--backend", "torch"]
    assert command(ct, tmp_path / "b.npy", *again) == 0
    np.testing.assert_allclose(np.load(tmp_path / "b.npy"), np.load(tmp_path / "a.npy"), atol=1e-5)


def test_saved_config_gives_the_result_again(ct, tmp_path):
    assert command(ct, tmp_path / "a.npy", "--lao-rao", "30", "--offset", "1", "2", "3", *SMALL) == 0
    saved = json.loads((tmp_path / "a.settings.json").read_text())
    assert saved["xraykit"]["command"] == "render drr"
    assert (saved["placement"]["lao_rao"], saved["placement"]["cra_cau"], saved["placement"]["sod"]) == (30, 0, 850)
    assert saved["camera"]["size"] == [12, 16]
    assert run(["render", "drr", "-o", str(tmp_path / "b.npy"), "--config", str(tmp_path / "a.settings.json")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), np.load(tmp_path / "a.npy"))


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".dcm"])
def test_other_formats_are_written_with_their_companions(ct, tmp_path, suffix):
    assert command(ct, tmp_path / f"a{suffix}", *SMALL) == 0
    assert {p.name for p in tmp_path.glob("a.*")} == {f"a{suffix}", "a.pose.json", "a.settings.json"}


def test_pictures_of_pa_are_mirrored_and_numbers_are_not(ct, tmp_path):
    for name in ("a.npy", "a.png"):
        assert command(ct, tmp_path / name, "--view", "pa", *SMALL) == 0
    image = np.load(tmp_path / "a.npy")[0, 0]
    shown = np.asarray(Image.open(tmp_path / "a.png")).astype(float)
    assert image.argmax() % 16 > 8  # as projected, the ball at the patient's right lies right of the middle
    assert np.corrcoef(shown.ravel(), image[:, ::-1].ravel())[0, 1] > 0.9995
    assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] < 0.999


def test_labels_give_an_overlay_and_channels_on_request(ct, tmp_path):
    seg = ["--labels", str(tmp_path / "seg.nii.gz")]
    assert command(ct, tmp_path / "a.npy", *seg, *SMALL) == 0
    assert np.load(tmp_path / "a.npy").shape == (1, 1, 12, 16)
    overlay = np.asarray(Image.open(tmp_path / "a.labels.png")).astype(int)
    assert np.any(overlay.max(axis=-1) - overlay.min(axis=-1) > 60)
    assert command(ct, tmp_path / "b.npy", *seg, "--label-channels", "hard", *SMALL) == 0
    channels = np.load(tmp_path / "b.npy")
    assert channels.shape == (1, 2, 12, 16)
    np.testing.assert_allclose(channels.sum(axis=1), np.load(tmp_path / "a.npy")[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--view", "ap", "--lao-rao", "3"], "either a view or angles"),
        (["--sod", "1100"], "did you swap them"),
        (["--sod", "-5"], "sod must be positive"),
        (["--size", "0", "5"], "height must be a positive"),
        (["--pixel-spacing", "0"], "pixel_spacing must be positive"),
        (["--samples", "0"], "samples must be a positive"),
        (["--lao-rao", "nan"], "lao_rao must be finite"),
        (["--device", "gpu"], "--device must be cpu, cuda"),
        (["--backend", "triton"], "backend='triton' cannot run"),
        (["--device", "cuda:99"], "needs a CUDA device"),
        (["--labels", "missing.nii"], "missing.nii"),
        (["--label-channels", "hard"], "needs a label map"),
        (["--pose", "missing.json"], "missing.json"),
        (["--pose", "missing.json", "--sdd", "900"], "already holds camera and pose, got also --sdd"),
    ],
)
def test_mistakes_exit_2_and_write_nothing(ct, tmp_path, capsys, options, words):
    before = sorted(tmp_path.iterdir())
    assert command(ct, tmp_path / "a.npy", *options) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_channels_have_no_place_in_a_picture(ct, tmp_path, capsys):
    options = ["--labels", str(tmp_path / "seg.nii.gz"), "--label-channels", "soft"]
    assert command(ct, tmp_path / "a.png", *options, *SMALL) == 2
    assert "needs .npy or .tiff" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "words"), [("a.jpg", "must end in"), ("none/a.npy", "existing folder")])
def test_output_is_checked_before_the_ct_is_read(tmp_path, capsys, name, words):
    assert command(tmp_path / "no_ct.nii", tmp_path / name) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["pose.json", "settings.json", "labels.png"])
def test_a_companion_that_cannot_be_written_is_found_before_anything_is(ct, tmp_path, capsys, ending):
    (tmp_path / f"a.{ending}").mkdir()
    assert command(ct, tmp_path / "a.npy", "--labels", str(tmp_path / "seg.nii.gz"), *SMALL) == 2
    assert f"a.{ending} must be a file to write, got a folder" in capsys.readouterr().err
    assert not (tmp_path / "a.npy").exists()


def test_a_disk_that_fills_up_at_a_companion_leaves_none_of_the_files_and_an_earlier_result_as_it_was(
    ct, tmp_path, capsys, monkeypatch
):
    def full(*_, **__):
        raise OutputError("the disk is full.")

    monkeypatch.setattr("xraykit.render.cli.drr.write_settings", full)
    (tmp_path / "b.npy").write_bytes(b"earlier")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert command(ct, tmp_path / "a.npy", *SMALL) == command(ct, tmp_path / "b.npy", *SMALL) == 2
    assert "the disk is full." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "b.npy").read_bytes() == b"earlier"


def test_the_input_is_never_replaced(tmp_path, capsys):
    (tmp_path / "ct.dcm").write_bytes(b"precious")
    assert command(tmp_path / "ct.dcm", tmp_path / "ct.dcm", *SMALL) == 2
    assert "is the input itself" in capsys.readouterr().err
    assert (tmp_path / "ct.dcm").read_bytes() == b"precious"


def test_a_detector_that_would_fill_the_memory_is_refused(ct, tmp_path, capsys):
    assert command(ct, tmp_path / "a.npy", "--size", "100000", "100000") == 2
    camera = Camera(sdd=1020.0, height=10**9, width=10**9)
    write_pose(tmp_path / "huge.json", camera, carm_pose(sod=850.0))
    assert command(ct, tmp_path / "a.npy", "--pose", str(tmp_path / "huge.json")) == 2
    assert capsys.readouterr().err.count("the detector must have at most") == 2


def test_a_name_too_long_for_the_file_system_is_refused(ct, tmp_path, capsys):
    assert command(ct, tmp_path / f"{'x' * 300}.npy", *SMALL) == 2
    assert "must lie in a writable folder" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "content"), [("none.nii", None), ("empty.nii", b""), ("junk.nii", b"junk" * 300)])
def test_bad_ct_exits_2_with_its_name(tmp_path, capsys, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert command(tmp_path / name, tmp_path / "a.npy") == 2
    assert name in capsys.readouterr().err
    assert not (tmp_path / "a.npy").exists()


def test_pose_that_sees_nothing_warns_and_gives_zeros(ct, tmp_path, capsys):
    assert command(ct, tmp_path / "a.npy", "--offset", "9000", "0", "0", *SMALL) == 0
    assert "xraykit: warning: " in capsys.readouterr().err
    assert not np.load(tmp_path / "a.npy").any()


def test_pose_that_is_no_motion_is_refused(ct, tmp_path, capsys):
    write_pose(tmp_path / "p.json", Camera(sdd=900.0, height=4, width=4), torch.eye(4)[None])
    content = json.loads((tmp_path / "p.json").read_text())
    content["camera_to_world"][0][0] = 2.0
    (tmp_path / "p.json").write_text(json.dumps(content))
    assert command(ct, tmp_path / "a.npy", "--pose", str(tmp_path / "p.json")) == 2
    assert "camera_to_world" in capsys.readouterr().err
