"""Damage in what our own TIFF says of itself is a doubt, and its numbers are left out; others' text is none."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.render import Camera, carm_pose, read_radiograph, save_image

CAMERA = Camera(sdd=1020.5, height=40, width=60, pixel_spacing=(0.31, 0.29), principal_point=(31.0, 22.0))
POSE = carm_pose(lao_rao=30.0, cra_cau=-12.0, sod=torch.tensor(700.0, dtype=torch.float64)).expand(2, 4, 4)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Pages and description of a TIFF of ours: two views, each with a pose."""
    image = torch.rand(2, 1, 40, 60, generator=torch.Generator().manual_seed(0))
    path = save_image(tmp_path_factory.mktemp("own") / "x.tif", image, camera=CAMERA, pose=POSE)
    with Image.open(path) as file:
        return image[:, 0].numpy(), file.tag_v2[270]


def read(folder, pages, description: str):
    first, *others = map(Image.fromarray, pages)
    first.save(folder / "x.tif", save_all=True, append_images=others, tiffinfo={270: description})
    return read_radiograph(folder / "x.tif")


def changed(description: str, **entries) -> str:
    content = json.loads(description)
    content["xraykit"] = {name: v for name, v in {**content["xraykit"], **entries}.items() if v is not ...}
    return json.dumps(content)


def test_a_whole_description_gives_camera_and_poses_and_no_doubt(tmp_path, written):
    pages, description = written
    back = read(tmp_path, pages, description)
    assert back.doubts == {} and back.camera.sdd == CAMERA.sdd
    assert len(back.provenance["camera_to_world"].value) == 32


TURNED = [[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("pose", "why"),
    [
        ("north", "could not convert"),
        ([[1.0, 2.0]], "reshape"),
        ([], "got torch.float64 of shape"),
        ([TURNED, TURNED], "a reflection"),
        (np.full((2, 4, 4), np.nan).tolist(), "not finite"),
        ((7 * np.eye(4)).tolist(), "the last row"),
        (np.tile(np.eye(4), (3, 1, 1)).tolist(), "3 matrices for 2 pages"),
        ([[10**400] * 4] * 4, "too large"),
    ],
)
def test_a_pose_that_is_none_is_doubted_and_the_camera_stays(tmp_path, written, pose, why):
    back = read(tmp_path, written[0], changed(written[1], camera_to_world=pose))
    assert list(back.doubts) == ["stated pose"] and why in back.doubts["stated pose"].note
    assert "camera_to_world" not in back.provenance and back.camera.sdd == CAMERA.sdd


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"sdd": "far"}, "could not convert"),
        ({"sdd": -1.0}, "sdd must be"),
        ({"sdd": 10**400}, "too large"),
        ({"pixel_spacing": [0.3, None]}, "NoneType"),
        ({"principal_point": ..., "sdd": ...}, "no sdd and no principal_point"),
        ({"height": 80, "width": 120}, "it is of 80 x 120 pixels, the image has 40 x 60"),
    ],
)
def test_a_camera_that_is_none_or_of_another_image_is_doubted(tmp_path, written, entries, why):
    back = read(tmp_path, written[0], changed(written[1], **entries))
    assert list(back.doubts) == ["stated camera"] and why in back.doubts["stated camera"].note
    assert back.camera is None and back.provenance["camera"].tag == "missing"


def test_a_camera_that_no_machine_has_is_doubted(tmp_path, written):
    back = read(tmp_path, written[0], changed(written[1], sdd=1.02))
    assert "a source to detector distance of 1.02 mm" in back.doubts["stated camera"].note


def test_a_polarity_that_there_is_not_is_assumed_and_doubted(tmp_path, written):
    back = read(tmp_path, written[0], changed(written[1], polarity="bright"))
    assert list(back.doubts) == ["stated polarity"] and back.provenance["polarity"].is_assumed


@pytest.mark.parametrize("cut", [60, 200])
def test_a_description_that_was_cut_is_doubted(tmp_path, written, cut):
    back = read(tmp_path, written[0], written[1][:cut])
    assert list(back.doubts) == ["description"] and back.camera is None


@pytest.mark.parametrize("text", ["ImageJ=1.54f\nunit=mm", '{"shape": [2, 40, 60]}', "[1, 2]", "made with xraykit", ""])
def test_the_text_of_another_program_is_no_doubt(tmp_path, written, text):
    assert read(tmp_path, written[0], text).doubts == {}
