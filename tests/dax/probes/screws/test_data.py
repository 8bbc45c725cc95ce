"""Screws of data set jobs and of COCO files."""

import json

import pytest
import torch
from xraykit.dax.probes.screws import by_patient, read_coco_keypoints, screws_of_sample
from xraykit.render import FileError, InputError
from xraykit.render.dataset import XraySample


def end(u, v, visible=True):
    return {"world": [0.0, 0.0, 0.0], "uv": [u, v], "visible": visible}


def sample(tools, **physics):
    record = {"tools": tools, "physics": physics, "camera": {"height": 40, "width": 50}}
    return XraySample("000001_0002", torch.zeros(1, 40, 50), record)


def test_screws_of_a_sample_are_its_screws_alone_head_first():
    tools = [
        {"name": "pedicle_screw", "ends": {"tip": end(1.0, 2.0), "head": end(3.0, 4.0)}},
        {"name": "k_wire", "ends": {"tip": end(5.0, 6.0), "head": end(7.0, 8.0)}},
        {"name": "cannulated_screw_2", "ends": {"tip": end(90.0, 6.0, visible=False), "head": end(7.0, 8.0)}},
    ]
    truth = screws_of_sample(sample(tools))
    assert truth.size == (40, 50)
    assert truth.points[0].tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert truth.visible.tolist() == [[True, True], [True, False]]
    assert len(screws_of_sample(sample([]))) == 0


def test_an_end_behind_the_source_or_under_the_collimator_is_invisible():
    tools = [{"name": "pedicle_screw", "ends": {"tip": end(25.0, 20.0)}}]
    assert screws_of_sample(sample(tools)).visible.tolist() == [[False, True]]
    tools[0]["ends"]["head"] = end(2.0, 2.0)
    assert screws_of_sample(sample(tools, shutter={"circle": [25, 20, 15]})).visible.tolist() == [[False, True]]


def test_a_sample_without_ends_or_with_damaged_ones_is_refused():
    with pytest.raises(FileError, match="000001_0002: each screw must have its ends, got none; make the data set anew"):
        screws_of_sample(sample([{"name": "pedicle_screw"}]))
    with pytest.raises(FileError, match="tip of pedicle_screw must have uv and visible"):
        screws_of_sample(sample([{"name": "pedicle_screw", "ends": {"tip": {"uv": [1.0]}}}]))


def table(**changes):
    return {
        "images": [
            {"id": 7, "file_name": "anna/1.png", "height": 40, "width": 50},
            {"id": 8, "file_name": "bert/1.png", "height": 40, "width": 50, "patient": "anna"},
            {"id": 9, "file_name": "bert/2.png", "height": 40, "width": 50},
        ],
        "categories": [
            {"id": 1, "name": "screw", "keypoints": ["tip", "middle", "head"]},
            {"id": 2, "name": "person", "keypoints": ["nose"]},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "keypoints": [1, 2, 2, 5, 5, 2, 3, 4, 1]},
            {"id": 2, "image_id": 9, "category_id": 1, "keypoints": [0, 0, 0, 5, 5, 2, 30, 4, 2]},
            {"id": 3, "image_id": 9, "category_id": 2, "keypoints": [1, 2, 2]},
        ],
        **changes,
    }


def written(tmp_path, content):
    path = tmp_path / "screws.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_coco_file_is_read_with_keypoints_by_name_and_grouped_by_patient(tmp_path):
    images = read_coco_keypoints(written(tmp_path, table()))
    assert [one.file_name for one in images] == ["anna/1.png", "bert/1.png", "bert/2.png"]
    assert images[0].truth.points.tolist() == [[[3.0, 4.0], [1.0, 2.0]]]
    assert images[2].truth.visible.tolist() == [[True, False]]
    assert len(images[1].truth) == 0
    groups = by_patient(images)
    assert {name: len(group) for name, group in groups.items()} == {"anna": 2, "bert": 1}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"images": None}, "must list its images as objects"),
        ({"categories": [{"id": 1, "keypoints": ["a", "b"]}]}, 'a category must have the keypoints .*"head", "tip"'),
        ({"images": []}, "annotations must be of listed images, got image_id 7"),
        ({"images": [{"id": 7, "file_name": "1.png", "height": 40, "width": 50}]}, "must be of listed images"),
        ({"images": [{"id": 7, "file_name": "a/1.png"}], "annotations": []}, "file_name, height and width"),
        (
            {"images": [{"id": 7, "file_name": "1.png", "height": 40, "width": 50}], "annotations": []},
            'image 1.png must say whose it is, .* give images a "patient"',
        ),
        ({"annotations": [{"image_id": 7, "category_id": 1, "keypoints": [1, 2]}]}, "keypoints must be x, y, v"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "keypoints": "no"}]}, "keypoints must be x, y, v"),
        (
            {"annotations": [{"image_id": 7, "category_id": 1, "keypoints": [1, 2, 2]}]},
            "every keypoint of its category",
        ),
    ],
)
def test_other_files_are_refused(tmp_path, changes, sentence):
    with pytest.raises(FileError, match=sentence):
        read_coco_keypoints(written(tmp_path, table(**changes)))


def test_a_visible_keypoint_outside_its_image_is_refused_with_the_image_s_name(tmp_path):
    outside = [{"image_id": 9, "category_id": 1, "keypoints": [1, 2, 2, 0, 0, 0, 51, 4, 2]}]
    with pytest.raises(
        InputError, match=r"image bert/2.png: a visible keypoint must lie within .* the head of screw 0"
    ):
        read_coco_keypoints(written(tmp_path, table(annotations=outside)))


def test_a_missing_file_is_told_of(tmp_path):
    with pytest.raises(FileError, match="a COCO keypoint file was expected at"):
        read_coco_keypoints(tmp_path / "none.json")
