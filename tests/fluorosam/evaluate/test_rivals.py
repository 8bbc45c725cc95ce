"""Other people's models through their predictors' interfaces, with predictors whose answers are known."""

import sys
import types

import numpy as np
import pytest
import torch
from support.fluorosam_cases import small_case
from xraykit.fluorosam.evaluate import (
    AskSettings,
    FleXrayMethod,
    MaskAnswer,
    MaskQuestion,
    QuestionTexts,
    SamMethod,
    ask_method,
    asked_targets,
)
from xraykit.fluorosam.evaluate.rivals import flexray_target, load_flexray, load_sam
from xraykit.render import BackendUnavailableError, FileError


class FakeSam:
    """Three masks: a spot about the first point or the box itself is the best."""

    def __init__(self):
        self.calls = []

    def set_image(self, image):
        assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        self.image = image

    def predict(self, **given):
        self.calls.append(given)
        height, width = self.image.shape[:2]
        y, x = np.mgrid[:height, :width] + 0.5
        if given["box"] is not None:
            left, top, right, bottom = given["box"]
            mask = (x > left) & (x < right) & (y > top) & (y < bottom)
        else:
            mask = (x - given["point_coords"][0, 0]) ** 2 + (y - given["point_coords"][0, 1]) ** 2 < 16
        if not given["multimask_output"]:
            return mask[None], np.array([0.8]), np.zeros((1, 256, 256))
        return np.stack([~mask, mask, ~mask]), np.array([0.1, 1.2, 0.3]), np.zeros((3, 256, 256))


def rows_of(method, **settings):
    asks = AskSettings(**settings)
    shown, absent = asked_targets(small_case(), asks, QuestionTexts(asks))
    return ask_method(method, small_case(), shown, absent, asks)


def test_sam_gets_points_boxes_and_its_own_logits_back():
    fake = FakeSam()
    rows = rows_of(SamMethod(fake), points=2)
    assert {row.kind for row in rows} == {"box", "points"} and {row.method for row in rows} == {"SAM"}
    chains = [one for one in fake.calls if one["point_coords"] is not None]
    assert chains[0]["mask_input"] is None and chains[0]["multimask_output"]
    assert chains[-1]["mask_input"].shape == (1, 256, 256) and not chains[-1]["multimask_output"]
    assert all(row.confidence in (0.8, 1.0) for row in rows)
    assert all(row.iou > 0.6 for row in rows if row.kind == "box" and row.target != "hip")


def test_medsam_gets_the_squashed_image_and_a_scaled_box_alone():
    fake = FakeSam()
    method = SamMethod(fake, kind="medsam")
    method.look(small_case())
    assert fake.image.shape == (1024, 1024, 3) and fake.image.min() == 0 and fake.image.max() == 255
    box = torch.tensor([4.0, 8.0, 20.0, 16.0])
    (answer,) = method.answer([MaskQuestion("hip_left", box=box)])
    assert fake.calls[0]["box"].tolist() == [128, 256, 640, 512] and not fake.calls[0]["multimask_output"]
    truth = torch.zeros(32, 32, dtype=torch.bool)
    truth[8:16, 4:20] = True
    assert isinstance(answer, MaskAnswer) and torch.equal(answer.mask, truth)
    assert method.kinds == {"box"}


class FakeFleXray:
    """Everything bright is a hip; the picture comes as a square."""

    label_names = ("background", "hips", "vertebra_l5")

    def predict(self, picture):
        assert picture.shape[0] == picture.shape[1] and picture.dtype == np.uint8
        bright = torch.from_numpy(picture.copy()).float() / 255

        class Found:
            probabilities = torch.stack([1 - bright, bright, 0 * bright])[None]

        return Found


def test_flexray_answers_for_its_classes_alone():
    rows = rows_of(FleXrayMethod(FakeFleXray()), absent=0)
    assert {row.target for row in rows} == {"hip"} and {row.kind for row in rows} == {"text"}
    assert rows[0].iou > 0.95


def test_flexray_s_classes_have_our_names():
    pairs = {"femurs": "femur", "vertebra_t12": "vertebrae_T12", "rib_5": "rib_5", "lungs": "lungs"}
    assert {name: flexray_target(name) for name in pairs} == pairs
    assert flexray_target("background") is None


def test_a_missing_package_is_named(tmp_path):
    for load, package in ((load_sam, "segment-anything"), (load_flexray, "flexray")):
        with pytest.raises(BackendUnavailableError, match=f"needs {package}, which is not installed; run: pip install"):
            load(tmp_path / "weights.pth", **({"kind": "sam"} if load is load_sam else {}))


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "segment_anything", types.ModuleType("segment_anything"))
    torch.save({"a": 3}, tmp_path / "other.pth")
    with pytest.raises(FileError, match=r"other.pth must be a checkpoint of Segment Anything, got another"):
        load_sam(tmp_path / "other.pth", kind="medsam")
