"""result.json says everything with frames and units, comes back as it was, and is refused when it is damaged."""

import json
import math
from dataclasses import replace

import pytest
import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import FileError, GeometryError, InputError, OutputError
from xraykit.xvr.result.folder import headline
from xraykit.xvr.result.reading import read_result
from xraykit.xvr.result.record import FRAMES, ResultRecord, record_result, result_to_json, write_result
from xraykit.xvr.trust.judgement import TrustJudgement

TRUST = TrustJudgement(0.93, 5.0, 0.7, warnings=("look at the pictures",), features={"gradient_ncc": 0.8})


@pytest.fixture(scope="module")
def record():
    """Two structures in two views, judged."""
    volume = lopsided()
    pose = true_pose(volume)[0].double()
    views = torch.stack([pose, twisted(pose, (0, 0, 90))])
    poses = torch.stack([views, twisted(views, (1, 2, 3), (4, 5, 6))])
    shots = [shot_of(volume, view[None], name=name) for view, name in zip(views, ("front", "side"), strict=True)]
    return record_result(
        registration_at(poses, twisted(views, shift=(9, 0, 0))),
        shots,
        structures=("pelvis", "femur"),
        start_kind="dicom",
        trust=TRUST,
        inputs={"ct": "ct.nii.gz", "xrays": ["a.dcm", "b.dcm"]},
        settings={"scales": (64, 128)},
        notes=("no table height",),
    )


def test_a_record_comes_back_as_it_was(record, tmp_path):
    back = read_result(write_result(tmp_path / "result.json", record))
    assert result_to_json(back) == json.loads(json.dumps(result_to_json(record)))
    for name in ("poses", "start", "covariance", "pivot"):
        assert torch.equal(getattr(back, name), getattr(record, name))
    assert back.trust == TRUST
    assert [camera.sdd for camera in back.cameras] == [1000.0, 1000.0]
    assert read_result(tmp_path).created == record.created  # the folder does as well


def test_the_file_names_frames_units_versions_and_the_files_as_typed(record, tmp_path):
    content = json.loads(write_result(tmp_path / "result.json", record).read_text())
    assert (content["format"], content["schema"]) == ("xraykit.xvr.result", 1)
    assert content["frames"] == FRAMES
    assert "RAS" in content["frames"]["world"]
    assert {"xraykit-xvr", "torch"} <= set(content["versions"])
    assert content["inputs"] == {"ct": "ct.nii.gz", "xrays": ["a.dcm", "b.dcm"]}
    view = content["views"][1]
    assert view["name"] == "side"
    assert (view["sdd_mm"], view["pixel_spacing_row_column_mm"], view["principal_point_x_y_px"]) == (
        CAMERA.sdd,
        [4.0, 4.0],
        [24.0, 20.0],
    )
    femur = content["structures"][1]
    assert torch.equal(torch.tensor(femur["camera_to_world"]["side"], dtype=torch.float64), record.poses[1, 1])
    assert femur["standard_deviation_rotation_x_y_z_deg"][2] == pytest.approx(math.degrees(math.sqrt(2e-5)))
    assert femur["standard_deviation_translation_x_y_z_mm"][1] == pytest.approx(math.sqrt(0.02))
    assert content["trust"]["verdict"] == "trusted"
    assert content["notes"] == ["the principal point was assumed to be the middle", "no table height"]
    assert str(tmp_path) not in json.dumps(content)


def test_an_undetermined_pose_has_no_covariance(record, tmp_path):
    poses = record.poses
    shot = shot_of(lopsided(), poses[0, 0][None])
    unsure = registration_at(poses[:1, :1], record.start[:1], covariance=torch.full((1, 6, 6), math.inf))
    found = record_result(unsure, [shot], structures=("CT",), start_kind="search")
    assert found.covariance is None
    assert read_result(write_result(tmp_path / "r.json", found)).covariance is None


def test_poses_that_fit_each_view_alone_keep_what_is_known_of_each(record, tmp_path):
    by_view = torch.stack([record.covariance, 4 * record.covariance])
    trust = replace(TRUST, expected_error=1.2, view_errors=(0.6, math.inf))
    freed = replace(record, covariance=by_view[1], view_covariance=by_view, trust=trust)
    path = write_result(tmp_path / "result.json", freed)
    back = read_result(path)
    assert torch.equal(back.view_covariance, by_view)
    assert back.trust == trust
    femur = json.loads(path.read_text())["structures"][1]
    assert femur["covariance_of_view"]["side"] == (4 * record.covariance[1]).tolist()
    assert headline(freed).endswith("expected error front 0.6 mm, side unknown")
    with pytest.raises(InputError, match=r"view_covariance must be \(2, 2, 6, 6\)"):
        replace(record, view_covariance=by_view[:1])


def test_an_endless_expected_error_survives_the_file(record, tmp_path):
    endless = TrustJudgement(0.1, 5.0, math.inf)
    shot = shot_of(lopsided(), record.poses[0, 0][None])
    found = record_result(
        registration_at(record.poses[:1, :1], record.start[:1]),
        [shot],
        structures=("CT",),
        start_kind="x",
        trust=endless,
    )
    assert read_result(write_result(tmp_path / "r.json", found)).trust == endless


def test_numbers_that_are_not_finite_are_not_written(record, tmp_path):
    broken = ResultRecord(
        ("CT",), ("x",), record.poses[:1, :1], record.start[:1], (CAMERA,), "fixed", similarity=math.nan
    )
    with pytest.raises(InputError, match="finite numbers only"):
        write_result(tmp_path / "r.json", broken)
    assert not list(tmp_path.iterdir())


def test_shapes_names_and_poses_must_fit(record):
    poses, start = record.poses[:1, :1], record.start[:1]
    with pytest.raises(InputError, match=r"poses must be \(2, 1, 4, 4\) for 2 structures in 1 views"):
        ResultRecord(("a", "b"), ("x",), poses, start, (CAMERA,), "fixed")
    with pytest.raises(InputError, match="different names, got x, x"):
        ResultRecord(("a",), ("x", "x"), poses, start, (CAMERA,), "fixed")
    with pytest.raises(InputError, match="one camera for each of 1 views, got 2"):
        ResultRecord(("a",), ("x",), poses, start, (CAMERA, CAMERA), "fixed")
    with pytest.raises(GeometryError, match="must be a rigid motion"):
        ResultRecord(("a",), ("x",), 2 * poses, start, (CAMERA,), "fixed")


def test_a_folder_that_is_missing_is_named(record, tmp_path):
    with pytest.raises(OutputError, match="existing folder"):
        write_result(tmp_path / "nowhere" / "result.json", record)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "name a result of xvr register"),
        ({"schema": 99}, "must have schema 1, got 99"),
        ({"views": []}, "must not be empty"),
        ({"structures": "x"}, "damaged one"),
        ({"similarity": "high"}, "a finite number was expected, got 'high'"),
        ({"seconds": None}, "a finite number was expected"),
        ({"trust": {"success_probability": 2}}, "is missing"),
    ],
)
def test_a_damaged_file_is_refused_in_a_sentence(record, tmp_path, change, words):
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**result_to_json(record), **change}))
    with pytest.raises(FileError, match=words):
        read_result(path)


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_a_pose_that_is_not_finite_is_refused(record, tmp_path, number):
    path = tmp_path / "result.json"
    text = json.dumps(result_to_json(record))
    first = json.dumps(record.poses[0, 0, 0, 0].item())
    path.write_text(text.replace(first, number, 1))
    with pytest.raises(FileError, match="finite numbers"):
        read_result(path)


def numbers_in(content):
    """(container, key) of every number of a JSON value, but of what is kept as it is."""
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        if isinstance(value, dict | list) and key not in ("inputs", "settings"):
            yield from numbers_in(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield content, key


def test_numbers_beyond_a_double_are_refused_wherever_they_stand(record, tmp_path):
    path, content = tmp_path / "result.json", json.loads(json.dumps(result_to_json(record)))
    refused = 0
    for container, key in list(numbers_in(content)):
        container[key], kept = 10**400, container[key]
        path.write_text(json.dumps(content))
        container[key] = kept
        try:
            read_result(path)
        except FileError:
            refused += 1
    assert refused > 60


def test_a_missing_file_and_one_of_another_kind_are_named(tmp_path):
    with pytest.raises(FileError, match="a result was expected at"):
        read_result(tmp_path / "none.json")
    (tmp_path / "a.json").write_text("no json")
    with pytest.raises(FileError, match="must be JSON text"):
        read_result(tmp_path / "a.json")


def test_a_judgement_must_be_possible():
    with pytest.raises(InputError, match="must lie in 0 to 1"):
        TrustJudgement(1.5, 5.0, 1.0)
    with pytest.raises(InputError, match="threshold must be positive"):
        TrustJudgement(0.5, 0.0, 1.0)
    assert [TrustJudgement(p, 5.0, 1.0).verdict for p in (0.95, 0.7, 0.2)] == ["trusted", "doubtful", "failed"]
