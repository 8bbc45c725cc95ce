"""COCO tables hold the masks pixel by pixel, and what they say of them follows from the masks."""

import json
import sys

import numpy as np
import pytest
import torch
from xraykit.render import BackendUnavailableError, Camera, InputError, carm_pose
from xraykit.render.files.coco import coco_record, run_lengths, write_coco
from xraykit.render.rendering.masks import MaskEntry, MaskSet

REASON = "needs the extra: pip install 'xraykit-render[export]'"
coco_mask = pytest.importorskip("pycocotools.mask", reason=REASON)


CAMERA = Camera(sdd=1000.0, height=5, width=7, pixel_spacing=(2.0, 1.5), principal_point=(3.0, 2.5))
POSE = carm_pose(lao_rao=torch.tensor([0.0, 30.0]), sod=800.0, isocenter=(0.0, 0.0, 0.0))
ENTRIES = (
    MaskEntry("liver", "organ", 5, 5),
    MaskEntry("rib_left_1", "organ", 31, 31),
    MaskEntry("screw", "tool", 0, 32),
)


@pytest.fixture
def masks():
    """Two views: a liver of 2x3 pixels at row 1, column 2 in the first; a rib everywhere in the second; no screw."""
    bits = torch.zeros(2, 2, 5, 7, dtype=torch.int32)
    bits[0, 0, 1:3, 2:5] |= 1 << 5
    bits[1, 0] |= -(1 << 31)
    return MaskSet(bits, ENTRIES)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decoder
def test_run_lengths_decode_to_the_mask():
    mask = torch.rand(13, 9, generator=torch.Generator().manual_seed(3)) > 0.6
    run = run_lengths(mask)
    assert run["size"] == [13, 9]
    assert isinstance(run["counts"], str)
    np.testing.assert_array_equal(coco_mask.decode(run).astype(bool), mask.numpy())


def test_annotations_hold_box_area_and_mask(masks):
    record = coco_record(masks, CAMERA, POSE, file_names=["a.tiff", "b.tiff"])
    first, second = record["annotations"]
    assert (first["image_id"], first["category_id"], first["area"], first["bbox"]) == (1, 5, 6, [2, 1, 3, 2])
    assert (second["image_id"], second["category_id"], second["area"], second["bbox"]) == (2, 31, 35, [0, 0, 7, 5])
    for annotation in record["annotations"]:
        assert coco_mask.area(annotation["segmentation"]) == annotation["area"]
        np.testing.assert_array_equal(coco_mask.toBbox(annotation["segmentation"]), annotation["bbox"])
    assert [c["supercategory"] for c in record["categories"]] == ["organ", "organ", "tool"]
    assert record["images"][1]["file_name"] == "b.tiff"
    assert record["images"][1]["camera"]["camera_to_world"] == POSE[1].tolist()
    assert record["images"][0]["camera"]["principal_point"] == [3.0, 2.5]


def test_empty_masks_are_listed_on_demand_only(masks):
    record = coco_record(masks, CAMERA, POSE, file_names=["a", "b"], keep_empty=True)
    assert [a["area"] for a in record["annotations"]] == [6, 0, 0, 0, 35, 0]


def test_equal_names_share_a_category_and_equal_values_do_not():
    entries = (
        *(MaskEntry("liver", "organ", 5, 5), MaskEntry("liver", "organ", 9, 41), MaskEntry("stone", "organ", 5, 37)),
        *(MaskEntry("drill", "tool", 0, 64), MaskEntry("wire", "tool", 1, 65)),
    )
    masks = MaskSet(torch.zeros(1, 3, 5, 7, dtype=torch.int32), entries)
    record = coco_record(masks, CAMERA, POSE[:1], file_names=["a"], keep_empty=True)
    assert [(c["name"], c["id"]) for c in record["categories"]] == [
        *(("liver", 5), ("stone", 200_001), ("drill", 100_001), ("wire", 100_002)),
    ]


def test_the_file_is_json_that_opens_again(masks, tmp_path):
    record = coco_record(masks, CAMERA, POSE, file_names=["a", "b"])
    path = write_coco(tmp_path / "masks.coco.json", record)
    assert json.loads(path.read_text(encoding="utf-8")) == record
    assert [p.name for p in tmp_path.iterdir()] == ["masks.coco.json"]


def test_views_and_names_must_agree(masks):
    with pytest.raises(InputError, match="masks of 2 views need as many poses and file names"):
        coco_record(masks, CAMERA, POSE, file_names=["a"])
    with pytest.raises(InputError, match=r"a mask must be \(H, W\) bool"):
        run_lengths(torch.zeros(3, 4))


def test_without_pycocotools_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install .xraykit-render\[export\]"):
        run_lengths(torch.zeros(3, 4, dtype=torch.bool))
