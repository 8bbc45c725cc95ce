"""pose.json: exact round trip, strict reading, nothing half-written."""

import json

import pytest
import torch
from support.views import assert_same_view, camera, poses
from xraykit.render import Camera, read_pose, write_pose
from xraykit.render.errors import FileError, GeometryError, OutputError

GOOD = {
    "camera_to_world": [[1.0, 0, 0, 10], [0, 0, 1, -700], [0, -1, 0, 30], [0, 0, 0, 1]],
    "sdd": 1020.0,
    "height": 200,
    "width": 300,
    "pixel_spacing": [2.0, 1.5],
    "principal_point": [150.0, 100.0],
    "world": "RAS",
}


def save(folder, content) -> str:
    path = folder / "pose.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_file_holds_exactly_the_documented_keys_and_numbers(tmp_path):
    path = tmp_path / "pose.json"
    pose = torch.tensor(GOOD["camera_to_world"], dtype=torch.float64)
    view = Camera(1020.0, 200, 300, pixel_spacing=(2.0, 1.5))
    write_pose(path, view, pose)
    assert json.loads(path.read_text()) == GOOD
    assert list(json.loads(path.read_text())) == list(GOOD)


def test_reading_gives_numbers_and_a_double_precision_pose(tmp_path):
    view, pose = read_pose(save(tmp_path, GOOD))
    assert (view.sdd, view.height, view.width) == (1020.0, 200, 300)
    assert (list(view.pixel_spacing), list(view.principal_point)) == ([2.0, 1.5], [150.0, 100.0])
    assert (pose.shape, pose.dtype, pose[0].tolist()) == ((1, 4, 4), torch.float64, GOOD["camera_to_world"])


@pytest.mark.parametrize("n", range(4))
def test_round_trip_is_exact(tmp_path, n):
    path = tmp_path / "pose.json"
    write_pose(path, camera(), poses()[n])
    assert_same_view(read_pose(path), (camera(), poses()[n : n + 1]), atol=0.0)


def test_tensor_cameras_with_gradients_are_written(tmp_path):
    path = tmp_path / "pose.json"
    sdd = torch.tensor([1000.0], requires_grad=True)
    write_pose(path, Camera(sdd, 10, 20, pixel_spacing=torch.tensor([[1.0, 2.0]])), poses(torch.float32)[:1])
    assert read_pose(path)[0].sdd == 1000.0
    assert read_pose(path)[0].pixel_spacing == [1.0, 2.0]


@pytest.mark.parametrize("key", GOOD)
def test_each_missing_key_is_named(tmp_path, key):
    with pytest.raises(FileError, match=f"pose.json must hold exactly .* got missing: {key}, unknown: none"):
        read_pose(save(tmp_path, {name: value for name, value in GOOD.items() if name != key}))


SCALED = [[2.0, 0, 0, 10], [0, 0, 2, -700], [0, -2, 0, 30], [0, 0, 0, 1]]
MIRRORED = [[-1.0, 0, 0, 10], [0, 0, 1, -700], [0, -1, 0, 30], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing": 1}, "missing: none, unknown: spacing"),
        ({"world": "LPS"}, 'must say "world": "RAS", got \'LPS\''),
        ({"world": ["RAS"]}, 'must say "world": "RAS"'),
        ({"camera_to_world": SCALED}, r"camera_to_world\[0\] must be a rigid motion .* a scaling by 2"),
        ({"camera_to_world": MIRRORED}, "a reflection"),
        ({"camera_to_world": [[1, 0, 0, 0]]}, "camera_to_world must be a list of 4"),
        ({"camera_to_world": [[1, 0, 0]] * 4}, "camera_to_world must be a list of 4"),
        ({"camera_to_world": 7}, "camera_to_world must be a list of 4"),
        ({"sdd": "1020"}, "must hold finite numbers, got '1020'"),
        ({"sdd": float("nan")}, "must hold finite numbers, got nan"),
        ({"sdd": float("inf")}, "must hold finite numbers, got inf"),
        ({"sdd": 10**400}, "must hold finite numbers"),
        ({"sdd": -5.0}, "sdd must be positive"),
        ({"height": True}, "must hold finite numbers, got True"),
        ({"height": 10.5}, "height must be a positive whole number"),
        ({"width": 0}, "width must be a positive whole number"),
        ({"pixel_spacing": [0.0, 1.0]}, "pixel_spacing must be positive"),
        ({"pixel_spacing": 1.0}, "pixel_spacing must be a list of 2"),
        ({"principal_point": [1.0]}, "principal_point must be a list of 2"),
        ({"principal_point": None}, "principal_point must be a list of 2"),
    ],
)
def test_illegal_content_is_refused_with_its_reason(tmp_path, change, message):
    with pytest.raises(FileError, match=message):
        read_pose(save(tmp_path, GOOD | change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be JSON text"),
        ("{", "must be JSON text"),
        ("\x00\xff", "must be JSON text"),
        ("[" * 100_000, "must be JSON text"),
        ("[1, 2]", "must hold one JSON object, got list"),
        (" " * (1 << 20) + "{}", "a pose.json of at most 1048576 bytes"),
    ],
)
def test_garbage_is_refused(tmp_path, text, message):
    with pytest.raises(FileError, match=message):
        read_pose(save(tmp_path, text))


def test_bytes_that_are_no_text_and_missing_files_are_refused(tmp_path):
    (tmp_path / "pose.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="must be JSON text"):
        read_pose(tmp_path / "pose.json")
    with pytest.raises(FileError, match=r"a pose.json was expected at .*gone.json, got No such file"):
        read_pose(tmp_path / "gone.json")
    with pytest.raises(FileError, match=r"a pose.json was expected at"):
        read_pose(tmp_path)


def test_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "pose.json"
    write_pose(path, camera(), poses()[0])
    before = path.read_text()
    with pytest.raises(GeometryError, match="holds one view, got 4"):
        write_pose(path, camera(), poses())
    with pytest.raises(GeometryError, match="must be a rigid motion"):
        write_pose(path, camera(), 2 * poses()[0])
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        write_pose(tmp_path / "no folder" / "pose.json", camera(), poses()[0])
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="must be a file to write, got a folder"):
        write_pose(tmp_path / "taken", camera(), poses()[0])
    assert path.read_text() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pose.json", "taken"]
