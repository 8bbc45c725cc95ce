"""`xvr register --mesh` finds implants in X-rays without a CT, and refuses what cannot be right in one sentence."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image
from support.implants import CAMERA, QUICK, component, errors, implant_shot, truth, write_stl
from xraykit.render import InputError, carm_pose, save_image, write_pose
from xraykit.render.cli.umbrella import run
from xraykit.render.geometry import rigid_inverse
from xraykit.xvr.implants import read_implants, register_implants

GEOMETRY = ["--sdd", "1000", "--pixel-spacing", "1.2", "--polarity", "line_integral"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, implant = tmp_path_factory.mktemp("implants"), component()
    write_stl(path / "femoral.stl", implant.mesh.vertices, implant.mesh.faces)
    shot = implant_shot(implant, truth(implant))
    save_image(path / "xray.tiff", shot.image[None, None].float(), camera=CAMERA)
    return path


@pytest.fixture(autouse=True)
def _from_the_truth(monkeypatch):
    """Registration begins where the implant is, so that the command takes a second."""

    def quick(shots, implants, starts, *, cameras):
        return register_implants(shots, implants, truth(component()), QUICK)

    monkeypatch.setattr("xraykit.xvr.mesh_registration.register_implants", quick)


def command(folder, output, *options, xrays=("xray.tiff",)):
    files = [str(folder / name) for name in xrays]
    return run(["xvr", "register", *files, "-o", str(output), *GEOMETRY, *options])


def test_a_mesh_is_found_and_written(folder, tmp_path, capsys):
    assert command(folder, tmp_path / "out", "--mesh", str(folder / "femoral.stl")) == 0
    result = tmp_path / "out/xray"
    assert {path.name for path in result.iterdir()} == {"implants.json", "overlay.png"}
    answers = read_implants(result)["femoral"]["xray"]
    assert errors(component(), answers[0].poses[0], truth(component()))[0] < 0.5
    content = json.loads((result / "implants.json").read_text())
    assert content["inputs"]["meshes"] == [str(folder / "femoral.stl")]
    assert torch.tensor(content["implants"][0]["covariance"]).shape == (6, 6)
    assert "femoral fits 0." in capsys.readouterr().out


def refused(folder, tmp_path, capsys, *options, **named):
    out = tmp_path / "out"
    assert command(folder, out, *options, **named) == 2
    assert not out.exists()
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return " ".join(said.split())


@pytest.mark.parametrize("unit, scale", [("m", 1000.0), ("inch", 25.4)])
def test_a_mesh_in_other_units_is_said_and_read_with_its_unit(folder, tmp_path, capsys, unit, scale):
    mesh = component().mesh
    write_stl(tmp_path / "small.stl", mesh.vertices / scale, mesh.faces)
    name = ["--mesh", str(tmp_path / "small.stl")]
    if unit == "m":
        assert "--mesh-units" in refused(folder, tmp_path, capsys, *name)
    assert command(folder, tmp_path / "out", *name, "--mesh-units", unit) == 0
    answers = read_implants(tmp_path / "out/xray")["small"]["xray"]
    assert errors(component(), answers[0].poses[0], truth(component()))[0] < 0.5


def test_a_picture_without_tags_must_say_whether_metal_is_bright(folder, tmp_path, capsys):
    shot = implant_shot(component(), truth(component()))
    share = (1 - (-shot.image).exp()).clamp(0, 1)
    Image.fromarray((255 * share).round().numpy().astype("uint8")).save(tmp_path / "bright0.png")
    picture = [str(tmp_path / "bright0.png"), "--sdd", "1000", "--pixel-spacing", "1.2"]
    mesh = ["--mesh", str(folder / "femoral.stl"), "-o", str(tmp_path / "out")]
    Image.fromarray((250 * share).round().numpy().astype("uint8")).save(tmp_path / "bright1.png")
    for what in (["register", picture[0]], ["track", str(tmp_path / "bright?.png"), "--no-plots"]):
        assert run(["xvr", *what, *picture[1:], *mesh]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "--polarity intensity where metal is dark, --polarity log_attenuation where it is bright" in said
        assert not (tmp_path / "out").exists()
    assert run(["xvr", "register", *picture, *mesh, "--polarity", "log_attenuation"]) == 0
    answers = read_implants(tmp_path / "out/bright0")["femoral"]["bright0"]
    assert errors(component(), answers[0].poses[0], truth(component()))[0] < 0.5


def test_an_open_mesh_is_refused(folder, tmp_path, capsys):
    mesh = component().mesh
    write_stl(tmp_path / "open.stl", mesh.vertices, mesh.faces[: len(mesh.faces) // 2])
    assert "open" in refused(folder, tmp_path, capsys, "--mesh", str(tmp_path / "open.stl"))


def test_a_mesh_that_is_not_in_view_is_refused(folder, tmp_path, capsys):
    generator = torch.Generator().manual_seed(0)
    save_image(tmp_path / "empty.tiff", torch.rand(1, 1, 160, 160, generator=generator), camera=CAMERA)
    said = refused(tmp_path, tmp_path, capsys, "--mesh", str(folder / "femoral.stl"), xrays=("empty.tiff",))
    assert "must be seen in the X-rays" in said


def test_a_ct_beside_meshes_is_refused(folder, tmp_path, capsys):
    (folder / "ct.nii.gz").write_bytes(b"")
    said = refused(folder, tmp_path, capsys, "--mesh", str(folder / "femoral.stl"), xrays=("ct.nii.gz", "xray.tiff"))
    assert "--mesh registers meshes without a CT" in said


def test_joint_meshes_need_the_poses_of_the_cameras(folder, tmp_path, capsys):
    said = refused(
        folder, tmp_path, capsys, "--mesh", str(folder / "femoral.stl"), "--joint", xrays=("xray.tiff", "xray.tiff")
    )
    assert "needs one --pose or --camera for each X-ray" in said


def test_joint_meshes_take_the_places_of_camera_files(folder, tmp_path, capsys, monkeypatch):
    seen = []

    def look(shots, implants, starts, *, cameras):
        seen.append(cameras)
        raise InputError("that is enough.")

    monkeypatch.setattr("xraykit.xvr.mesh_registration.register_implants", look)
    places = [carm_pose(lao_rao=angle, sod=700.0).double() for angle in (0.0, 90.0)]
    for name, pose in zip("ab", places, strict=True):
        write_pose(tmp_path / f"{name}.json", CAMERA, pose)
    cameras = ["--camera", str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    options = ["--mesh", str(folder / "femoral.stl"), "--joint", *cameras]
    files = ("xray.tiff", "xray.tiff")
    assert "that is enough" in refused(folder, tmp_path, capsys, *options, xrays=files)
    torch.testing.assert_close(seen[0], rigid_inverse(places[0]) @ torch.cat(places))
    pose = ["--pose", str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert "got --pose too" in refused(folder, tmp_path, capsys, *options, *pose, xrays=files)


def test_a_ct_alone_is_refused(folder, tmp_path, capsys):
    assert "one X-ray at least must be named" in refused(folder, tmp_path, capsys)


def test_a_camera_of_another_size_than_the_image_is_refused(folder, tmp_path, capsys):
    pose = truth(component())[None]
    write_pose(tmp_path / "same.json", CAMERA, pose)
    write_pose(tmp_path / "other.json", replace(CAMERA, height=512, width=512), pose)
    poses = ["--pose", str(tmp_path / "same.json"), "--pose", str(tmp_path / "other.json")]
    mesh = ["--mesh", str(folder / "femoral.stl"), "--joint"]
    said = refused(folder, tmp_path, capsys, *mesh, *poses, xrays=("xray.tiff", "xray.tiff"))
    assert "must be of an image of 160 x 160 px like xray_2, got 512 x 512" in said


@pytest.mark.parametrize("options", [["--view", "ap"], ["--structures", "femur_left"], ["--iterations", "3"]])
def test_options_of_a_ct_are_refused_with_meshes(folder, tmp_path, capsys, options):
    said = refused(folder, tmp_path, capsys, "--mesh", str(folder / "femoral.stl"), *options)
    assert "--mesh" in said and "leave them out" in said
