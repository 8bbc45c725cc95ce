"""`xvr register --mesh` with the implant of the other side: said where it is found, exit status 2 where it is not."""

import json
from dataclasses import replace

import pytest
import torch
from support.implants import CAMERA, QUICK, component, implant_shot, moved, second_camera, truth, twisted, write_stl
from xraykit.render import save_image, write_pose
from xraykit.render.cli.umbrella import run
from xraykit.xvr.implants import register_implants
from xraykit.xvr.implants.other_side import mirror_image

GEOMETRY = ["--sdd", "1000", "--pixel-spacing", "1.2", "--polarity", "line_integral", "--joint"]
NEAR = replace(QUICK, scales=(96,), lookalikes=True, fit=replace(QUICK.fit, iterations=5))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A folder with two X-rays of an implant, where their cameras stand, and its mesh mirrored."""
    folder, implant = tmp_path_factory.mktemp("sides"), twisted(component())
    first = moved(implant, truth(implant), (20.0, 15.0, -30.0), (0.0, 0.0, 0.0))
    poses = torch.stack([first, first @ second_camera()])
    for name, pose in zip("ab", poses, strict=True):
        save_image(folder / f"{name}.tiff", implant_shot(implant, pose).image[None, None].float(), camera=CAMERA)
        write_pose(folder / f"{name}.json", CAMERA, pose[None])
    mirror = mirror_image(implant)
    assert mirror is not None
    write_stl(folder / "left.stl", mirror.implant.mesh.vertices, mirror.implant.mesh.faces)
    return folder, poses


def command(scene, monkeypatch, output, least):
    """The exit status; registration begins where the implant is, so that it takes a second."""
    folder, poses = scene

    def near(shots, implants, starts, *, cameras):
        return register_implants(shots, implants, poses[None, None], replace(NEAR, least=least))

    monkeypatch.setattr("xraykit.xvr.mesh_registration.register_implants", near)
    files = [str(folder / name) for name in ("a.tiff", "b.tiff")]
    places = ["--pose", str(folder / "a.json"), str(folder / "b.json")]
    return run(["xvr", "register", *files, "-o", str(output), *GEOMETRY, *places, "--mesh", str(folder / "left.stl")])


def test_an_implant_of_the_other_side_that_fits_somehow_is_said_and_kept(scene, monkeypatch, tmp_path, capsys):
    assert command(scene, monkeypatch, tmp_path / "out", 0.3) == 0
    captured = capsys.readouterr()
    said = " ".join((captured.out + captured.err).split())
    assert "warning: left: mirrored it fits clearly better (0." in said
    assert "this may be the implant of the other side; give its mesh." in said
    doubts = json.loads((tmp_path / "out/joint/implants.json").read_text())["doubts"]
    assert sum("implant of the other side" in doubt for doubt in doubts) == 1


def test_an_implant_of_the_other_side_that_fits_nowhere_ends_with_status_2(scene, monkeypatch, tmp_path, capsys):
    assert command(scene, monkeypatch, tmp_path / "out", 0.78) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "left must be seen in the X-rays" in said and "Traceback" not in said
    assert "this may be the implant of the other side; give its mesh" in said
    assert not (tmp_path / "out").exists()
