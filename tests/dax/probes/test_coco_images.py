"""A user's own X-rays with screws: read, brought to the square, and refused where the file contradicts them."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.probes.coco_images import images_of_coco
from xraykit.render import InputError

SETTINGS = PreprocessSettings(size=32)


def write(folder, *, height=40, width=80, keypoints=(10, 20, 2, 70, 30, 2)):
    draw = np.random.default_rng(0)
    (folder / "p1").mkdir(exist_ok=True)
    Image.fromarray(draw.integers(100, 4000, (40, 80)).astype(np.uint16)).save(folder / "p1" / "a.png")
    table = {
        "images": [{"id": 1, "file_name": "p1/a.png", "height": height, "width": width}],
        "categories": [{"id": 7, "name": "screw", "keypoints": ["head", "tip"]}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "keypoints": list(keypoints)}],
    }
    path = folder / "coco.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def test_keypoints_move_with_the_image_to_the_square(tmp_path):
    images = images_of_coco(write(tmp_path), SETTINGS)
    (one,) = images
    assert (one.name, one.patient, len(images)) == ("p1/a.png", "p1", 1)
    # 80 x 40 becomes 32 x 16 in the middle of 32 x 32: u is 0.4 of its pixel, v is 8 below.
    assert torch.allclose(one.keypoints, torch.tensor([[[4.0, 16.0, 1.0], [28.0, 20.0, 1.0]]], dtype=torch.float64))


def test_image_of_another_size_than_the_file_says_is_refused(tmp_path):
    images = images_of_coco(write(tmp_path, height=41), SETTINGS)
    with pytest.raises(InputError, match=r"a\.png must have the 41 x 80 pixels that its COCO file says, got 40 x 80"):
        list(images)


def test_keypoint_outside_the_image_is_refused_when_the_file_is_read(tmp_path):
    with pytest.raises(InputError, match=r"p1/a\.png"):
        images_of_coco(write(tmp_path, keypoints=(10, 20, 2, 90, 30, 2)), SETTINGS)


def test_another_file_of_the_same_name_is_another_set(tmp_path):
    first = images_of_coco(write(tmp_path), SETTINGS).identity
    assert images_of_coco(write(tmp_path), SETTINGS).identity == first
    assert images_of_coco(write(tmp_path, keypoints=(11, 20, 2, 70, 30, 2)), SETTINGS).identity != first
