"""`xvr track --bone` follows bones, each by a CT of its own, through frames of two calibrated views."""

import csv

import pytest
import torch
from support.wrists import BONES, SPACING, cameras, truth, write_bones, xray
from xraykit.render import save_image
from xraykit.render.cli.umbrella import run
from xraykit.render.geometry import rigid_inverse, se3_exp
from xraykit.xvr.tracking import read_track

STEP = torch.tensor([0.8, -0.5, 0.6, 0.03, 0.01, -0.02], dtype=torch.float64)  # of the ulna a frame [mm, rad]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("wrist")
    write_bones(path)
    for number in range(3):
        for view in (0, 1):
            (path / f"cam{view + 1}").mkdir(exist_ok=True)
            seen = {name: where(name, number)[view] for name in BONES}
            save_image(path / f"cam{view + 1}" / f"{number:03}.tiff", xray(path, seen))
    return path


def where(name, number):
    """Camera to CT of a bone in a frame, (2, 4, 4); the radius rests."""
    return se3_exp(number * STEP) @ truth(name) if name == "ulna" else truth(name)


def command(folder, output, *options):
    words = ["xvr", "track", str(folder / "cam1"), str(folder / "cam2"), "-o", str(output)]
    words += ["--camera", str(folder / "cam1.txt"), str(folder / "cam2.txt"), "--sdd", "1000"]
    words += [word for name in BONES for word in ("--bone", str(folder / f"{name}.tif"))]
    words += ["--voxel-spacing", *map(str, SPACING), "--polarity", "line_integral"]
    return run([*words, "--no-spread", "--no-check-geometry", "--no-plots", "--no-video", *options])


def test_bones_are_followed_and_their_relative_motion_told(folder, tmp_path):
    begins = [word for name in BONES for word in ("--pose", str(folder / f"{name}.json"))]
    assert command(folder, tmp_path / "out", *begins, "--last", "1") == 0
    assert command(folder, tmp_path / "out", *begins, "--resume") == 0
    found = read_track(tmp_path / "out")
    assert found.bodies == tuple(BONES)
    assert len(found.frames) == 3
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"poses.csv", "motion.radius.ulna.csv"}
    last = found.frames[-1].poses
    assert last.shape == (2, len(cameras()), 4, 4)
    for name, poses in zip(BONES, last, strict=True):
        off = rigid_inverse(poses) @ torch.linalg.inv(rigid_inverse(where(name, 2)))
        assert float((off[:, :3, :3] - torch.eye(3)).abs().max()) < 0.02
    with (tmp_path / "out/motion.radius.ulna.csv").open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert len(rows) == 3


def test_bones_without_a_start_or_cameras_are_refused(folder, tmp_path, capsys):
    assert command(folder, tmp_path / "out") == 2
    assert "needs to know where each bone begins" in " ".join(capsys.readouterr().err.split())
    words = ["xvr", "track", str(folder / "cam1"), str(folder / "cam2"), "-o", str(tmp_path / "out")]
    words += [word for name in BONES for word in ("--bone", str(folder / f"{name}.tif"), "--pose", "a.json")]
    assert run(words) == 2
    assert "needs the --camera of each" in " ".join(capsys.readouterr().err.split())
