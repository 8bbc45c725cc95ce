"""`xvr register --bone` finds bones, each by a CT of its own, together in calibrated X-rays of one moment."""

import json

import pytest
import torch
from support.registrations import DONE
from support.wrists import BONES, CAMERA, SPACING, error, read_bone, truth, write_bones
from xraykit.render.cli.umbrella import run
from xraykit.render.geometry import project
from xraykit.xvr.result.reading import read_result


@pytest.fixture(scope="module", autouse=True)
def _small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xraykit.xvr.result.pictures.LONGER_SIDE", 96)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("wrist")
    write_bones(path)
    return path


@pytest.fixture(scope="module")
def found(folder):
    """The result of both bones in both views, from poses."""
    status = command(folder, folder / "out", *bones(folder), *poses(folder))
    assert status in DONE
    return folder / "out/joint"


def bones(folder, *names):
    return [word for name in names or BONES for word in ("--bone", str(folder / f"{name}.tif"))]


def poses(folder, *names):
    return [word for name in names or BONES for word in ("--pose", str(folder / f"{name}.json"))]


def command(folder, output, *options, views=(1, 2), joint=True):
    files = [str(folder / f"cam{view}.tiff") for view in views]
    cameras = ["--camera", *(str(folder / f"cam{view}.txt") for view in views), "--sdd", "1000"]
    words = ["xvr", "register", *files, "-o", str(output), *cameras, "--polarity", "line_integral"]
    words += ["--voxel-spacing", *map(str, SPACING)]
    quick = ["--no-animation", "--no-spread", "--no-check-geometry"]
    return run([*words, *quick, *(["--joint"] if joint else []), *options])


def test_each_bone_gets_its_own_pose_in_both_views(folder, found):
    result = read_result(found)
    assert result.structures == tuple(BONES)
    assert result.views == ("cam1", "cam2")
    for name, where in zip(result.structures, result.poses, strict=True):
        assert error(folder, name, where) < 0.4
    assert {f"{name}.cam1.pose.json" for name in BONES} <= {path.name for path in found.iterdir()}
    assert result.inputs["bones"] == [str(folder / f"{name}.tif") for name in BONES]
    assert result.inputs["ct"] is None
    assert any("size of the bones" in note for note in result.notes)
    assert any("ulna, intercept" in note for note in result.notes)


def test_the_start_of_each_bone_is_kept(folder, found):
    result = read_result(found)
    assert result.start.shape == (2, 2, 4, 4)
    assert all(error(folder, name, start) > 1.5 for name, start in zip(BONES, result.start, strict=True))
    assert len(json.loads((found / "result.json").read_text())["structures"][1]["start_camera_to_world"]) == 2


def test_an_earlier_result_of_all_bones_or_one_for_each_starts_them(folder, found, tmp_path):
    for given in ([found], [found, found]):
        results = [word for path in given for word in ("--result", str(path))]
        out = tmp_path / str(len(given))
        assert command(folder, out, *reversed_bones(folder), *results, "--init-only") == 0
        again = read_result(out / "joint")
        assert again.structures == ("ulna", "radius")  # by name, whatever the order
        torch.testing.assert_close(again.poses.flip(0), read_result(found).poses, atol=1e-5, rtol=0)


def reversed_bones(folder):
    return bones(folder, *reversed(BONES))


def landmarks(folder, to):
    """Options for points of each bone, and what each camera sees of them as rows of a table, 0.3 px off."""
    marks, seen = [], ([], [])
    generator = torch.Generator().manual_seed(0)
    for name in BONES:
        middle = read_bone(folder, name).center.double()
        steps = ((12, 3, -2), (-9, 10, 4), (-3, -11, 8), (4, 6, -22), (-5, 2, 20))
        points = middle + torch.tensor(steps, dtype=torch.float64)
        rows = [f"{name}_{n},{','.join(f'{x:.3f}' for x in point)}" for n, point in enumerate(points.tolist())]
        slicer = ["# Markups fiducial file version = 4.11", "# CoordinateSystem = RAS", "# columns = label,x,y,z"]
        (to / f"{name}.fcsv").write_text("\n".join([*slicer, *rows]) + "\n")
        marks += ["--landmarks-ct", str(to / f"{name}.fcsv")]
        for rows, pose in zip(seen, truth(name), strict=True):
            uv = project(points, CAMERA, pose[None]).uv[0]
            uv = uv + 0.3 * torch.randn(uv.shape, generator=generator, dtype=torch.float64)
            rows += [f"{name}_{n},{u:.2f},{v:.2f}" for n, (u, v) in enumerate(uv.tolist())]
    return marks, seen


def seen_in(path, rows):
    path.write_text("\n".join(["name,u,v", *rows]) + "\n")
    return ["--landmarks-xray", str(path)]


def test_landmarks_of_each_bone_start_it_better_from_both_views(folder, tmp_path):
    marks, (front, side) = landmarks(folder, tmp_path)
    given = {"one": seen_in(tmp_path / "front.csv", front)}
    given["both"] = [*given["one"], *seen_in(tmp_path / "side.csv", side[:3] + side[5:8])]
    errors = {}
    for views, options in given.items():
        assert command(folder, tmp_path / views, *bones(folder), *marks, *options, "--init-only") == 0
        result = read_result(tmp_path / views / "joint")
        errors[views] = max(error(folder, name, where) for name, where in zip(BONES, result.poses, strict=True))
    assert errors["both"] < 2
    assert errors["both"] < errors["one"] / 2


def test_landmarks_of_more_views_than_there_are_x_rays_are_refused(folder, tmp_path, capsys):
    marks, (front, _) = landmarks(folder, tmp_path)
    seen = seen_in(tmp_path / "front.csv", front)
    assert command(folder, tmp_path / "out", *bones(folder), *marks, *seen * 3) == 2
    assert "once for each of 2 X-rays, got 3" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options, said",
    [
        ([], "needs to know where each bone begins"),
        (["--start", "search"], "got --start search"),
        (["--view", "ap"], "needs to know where each bone begins"),
        (["--pose", "radius.json"], "--pose must be given once for each of 2 bones, got 1"),
        (["--pose", "radius.json", "--pose", "ulna.json", "--labels", "seg.nii.gz"], "belong to one CT"),
        (["--pose", "radius.json", "--pose", "ulna.json", "--mesh", "a.stl"], "got them with --mesh"),
    ],
)
def test_what_cannot_be_done_with_bones_is_refused(folder, tmp_path, capsys, options, said):
    options = [str(folder / word) if word.endswith(".json") else word for word in options]
    assert command(folder, tmp_path / "out", *bones(folder), *options) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_bones_in_x_rays_of_several_moments_and_a_ct_beside_them_are_refused(folder, tmp_path, capsys):
    assert command(folder, tmp_path / "out", *bones(folder), *poses(folder), joint=False) == 2
    assert "add --joint" in capsys.readouterr().err
    words = ["xvr", "register", "ct.nii.gz", str(folder / "cam1.tiff"), "-o", str(tmp_path / "out")]
    assert run([*words, "--joint", *bones(folder), *poses(folder)]) == 2
    assert "every file named is an X-ray" in " ".join(capsys.readouterr().err.split())


def test_a_stack_without_spacing_is_refused(folder, tmp_path, capsys):
    files = [str(folder / f"cam{view}.tiff") for view in (1, 2)]
    cameras = ["--camera", str(folder / "cam1.txt"), str(folder / "cam2.txt"), "--polarity", "line_integral"]
    words = ["xvr", "register", *files, "-o", str(tmp_path / "out"), *cameras, "--joint"]
    assert run([*words, *bones(folder), *poses(folder)]) == 2
    assert "--voxel-spacing" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
