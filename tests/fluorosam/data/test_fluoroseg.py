"""FluoroSeg's layout: read by names, written from a job, and refused where files do not fit each other."""

import json

import numpy as np
import pytest
import torch
from support.dataset_shards import disc, write_dataset
from support.fluoroseg_files import SIZE, block, runs, write_case
from xraykit.fluorosam.data import FluoroSegData, check_fluoroseg, write_fluoroseg
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.dataset import ReadingOrder, XrayDataset

MASK = block(4, 6, 10, 20)


def annotation(number, mask=MASK):
    return {"category_id": number, "bbox": [6, 4, 14, 6], "segmentation": runs(mask)}


def test_an_image_has_its_intensities_labels_and_masks(tmp_path):
    write_case(tmp_path, annotations=[annotation(75), annotation(1000)], patient_id="p7")
    data = FluoroSegData(tmp_path)
    sample = data.read(0)
    assert len(data) == 1 and sample.image.name == "case1/0000000000" and sample.image.patient == "p7"
    assert sample.labels == ("femur_left", "tool") and sample.kinds == ("organ", "tool")
    assert torch.equal(sample.masks[0], torch.from_numpy(MASK)) and sample.image.pixel_size == 0.6
    assert sample.intensity[0, 0] == pytest.approx(0.1) and sample.log_attenuation()[0, 0] == pytest.approx(
        np.log(1000)
    )


def test_ribs_without_categories_have_the_old_order(tmp_path):
    write_case(tmp_path, annotations=[annotation(92), annotation(94), annotation(106), annotation(108)])
    assert FluoroSegData(tmp_path).read(0).labels == ("rib_right_4", "rib_left_1", "rib_right_1", "rib_right_5")


def test_categories_go_by_name_and_cut_organs_say_where(tmp_path):
    names = {92: "rib_left_1", 10074: "femur_left_cutoff_I", 500: "body"}
    write_case(tmp_path, annotations=[annotation(92), annotation(10074)], categories=names)
    sample = FluoroSegData(tmp_path).read(0)
    assert sample.labels == ("rib_left_1", "femur_left") and sample.cuts == ("", "I")
    assert FluoroSegData(tmp_path, ribs="legacy").read(0).labels == ("rib_right_4", "femur_left")


def test_cut_organs_have_numbers_of_their_own(tmp_path):
    write_case(tmp_path, annotations=[annotation(10000), annotation(10129)])
    sample = FluoroSegData(tmp_path).read(0)
    assert sample.labels == ("spleen", "spleen") and sample.cuts == ("I", "S")


def test_splits_are_listed_or_the_first_nine_tenths(tmp_path):
    for number in range(10):
        write_case(tmp_path, f"case{number}")
    assert len(FluoroSegData(tmp_path)) == 10 and len(FluoroSegData(tmp_path, split="train")) == 9
    assert FluoroSegData(tmp_path, split="val").images[0].case == "case9"
    (tmp_path / "val.txt").write_text("case2.json\ncase4.json\n")
    (tmp_path / "train.txt").write_text("case3.json\n")
    assert [one.case for one in FluoroSegData(tmp_path, split="val").images] == ["case2", "case4"]


def test_real_images_that_fit_badly_can_be_left_out(tmp_path):
    write_case(tmp_path, "good", grad_ncc=0.9)
    write_case(tmp_path, "bad", grad_ncc=0.1)
    write_case(tmp_path, "simulated")
    found = FluoroSegData(tmp_path, least_grad_ncc=0.5).images
    assert [one.case for one in found] == ["good", "simulated"]


@pytest.mark.parametrize(
    "damage, sentence",
    [
        (lambda folder: (folder / "case1/0000000000.tiff").unlink(), r"0000000000.tiff does not exist; check the path"),
        (lambda folder: (folder / "case1/0000000000.json").unlink(), r"annotations were expected at .*0000000000.json"),
        (
            lambda folder: (folder / "case1/0000000000.json").write_text("{}"),
            "must hold a list of annotations, got dict",
        ),
        (lambda folder: (folder / "case1/0000000000.json").write_text("[1]"), "must hold a list of annotations"),
        (
            lambda folder: (
                write_case(folder.parent / "b", size=(8, 8))
                and (folder.parent / "b/case1/0000000000.tiff").replace(folder / "case1/0000000000.tiff")
            ),
            "must have the 24 x 32 pixels of its case, got 8 x 8",
        ),
        (
            lambda folder: (folder / "case1/0000000000.json").write_text(json.dumps([annotation(4000)])),
            r"annotation 0: category must be 1 to 117, 301 to 311, 1000",
        ),
        (
            lambda folder: (folder / "case1/0000000000.json").write_text('[{"category_id": "x"}]'),
            "annotation 0: category_id must be a whole number, got 'x'",
        ),
    ],
)
def test_missing_and_mismatched_files_are_named(tmp_path, damage, sentence):
    folder = write_case(tmp_path / "a", annotations=[annotation(75)])
    damage(folder)
    with pytest.raises(FileError, match=sentence):
        FluoroSegData(folder).read(0)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"file_name": "../../secret.tiff"}, r"file_name must be a file in case1, got '../../secret.tiff'"),
        ({"file_name": "other/0.tiff"}, "file_name must be a file in case1"),
        ({"height": 0}, "an image must have edges of 1 to 16384 pixels, got 0 x 32"),
        ({"height": "24"}, "height must be a whole number, got '24'"),
        ({"camera": {"pixel_size": -1}}, "pixel_size must be a finite number above 0, got '-1'"),
    ],
)
def test_a_case_that_cannot_be_is_refused(tmp_path, change, sentence):
    write_case(tmp_path, **change)
    with pytest.raises(FileError, match=sentence):
        FluoroSegData(tmp_path)


def test_unknown_categories_suggest_known_ones(tmp_path):
    write_case(tmp_path, categories={1: "femur_lefft"})
    with pytest.raises(
        FileError, match=r"category must be a known name, got 'femur_lefft'; the nearest are femur_left"
    ):
        FluoroSegData(tmp_path)


def test_a_folder_without_cases_and_a_missing_case_are_said(tmp_path):
    with pytest.raises(FileError, match=r"must hold cases of FluoroSeg \(CASE.json\), got none"):
        FluoroSegData(tmp_path)
    write_case(tmp_path)
    (tmp_path / "val.txt").write_text("gone.json\n")
    with pytest.raises(FileError, match=r"val.txt must name CASE.json files beside it, got 'gone.json'"):
        FluoroSegData(tmp_path, split="val")
    with pytest.raises(FileError, match="must hold a case of the split 'train', got none"):
        FluoroSegData(tmp_path, split="train")
    with pytest.raises(InputError, match="split must be train or val, got 'test'"):
        FluoroSegData(tmp_path, split="test")
    with pytest.raises(InputError, match="ribs must be 'as named' or 'legacy', got 'new'"):
        FluoroSegData(tmp_path, ribs="new")


MASKS = {
    "femur_left": disc(16, 10, 8, 4), "tibia_left": disc(16, 10, 12, 3), "rib_left_1": disc(16, 4, 4, 2),
    "unheard_of": disc(16, 2, 2, 2), "spleen": np.zeros((16, 16), dtype=bool),
}  # fmt: skip


def test_a_job_goes_there_and_back(tmp_path):
    pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-fluorosam[evaluate]'")
    tools = {"k_wire_1": disc(16, 8, 8, 1.5)}
    job = write_dataset(tmp_path / "job", {"train": [4], "val": [2]}, views=2, masks=MASKS, tools=tools)
    told = []
    done = write_fluoroseg(job, tmp_path / "out", report=lambda *args: told.append(args))
    assert (done.cases, done.images, done.annotations) == (3, 6, 24) and told[-1] == (6, 6)
    assert done.left_out == {"unheard_of": 6}
    data = FluoroSegData(tmp_path / "out", split="train")
    assert len(data) == 4 and len(FluoroSegData(tmp_path / "out", split="val")) == 2
    samples = list(XrayDataset(job, split="train", order=ReadingOrder(shuffle=False)))
    for number, sample in enumerate(samples):
        found = data.read(number)
        assert found.labels == ("femur_left", "tibia", "rib_left_1", "tool")
        for mask, name in zip(found.masks, ("femur_left", "tibia_left", "rib_left_1"), strict=False):
            assert np.array_equal(mask.numpy(), MASKS[name])
        assert torch.allclose(found.intensity, sample.intensity()[0]) and found.image.pixel_size == 2.0
    table = json.loads((tmp_path / "out/patient-000000.json").read_text())
    assert {one["id"]: one["name"] for one in table["categories"]}[94] == "rib_left_1"
    assert len(table["categories"]) == 129
    ids = [one["category_id"] for one in json.loads((tmp_path / "out/patient-000000/0000000000.json").read_text())]
    assert ids == [75, 302, 94, 1000]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match="must be new or empty, got something in it"):
        write_fluoroseg(tmp_path / "job", tmp_path)


def test_a_check_reads_everything_and_judges_the_ribs(tmp_path):
    left, right = block(6, 2, 18, 8), block(6, 24, 18, 30)
    lungs = [annotation(10, right), annotation(12, left)]
    ribs = [annotation(92, block(12, 2, 14, 6)), annotation(94, block(6, 26, 8, 30))]
    write_case(tmp_path / "good", annotations=[*lungs, *ribs], images=2)
    found = check_fluoroseg(tmp_path / "good")
    assert (found.images, found.annotations, found.wrong_sides, found.naming) == (2, 8, 0, "as named")
    today = {10: "lung_upper_lobe_left", 12: "lung_upper_lobe_right", 92: "rib_left_1", 94: "rib_left_3"}
    write_case(tmp_path / "legacy", annotations=[*lungs, *ribs], categories=today)
    found = check_fluoroseg(tmp_path / "legacy")
    assert found.wrong_sides == 1 and found.naming == "legacy" and "case1/0000000000: rib_left_1" in found.ribs_sentence
    (tmp_path / "good/case1/0000000001.tiff").unlink()
    with pytest.raises(FileError, match="does not exist"):
        check_fluoroseg(tmp_path / "good")


def test_sizes_are_rows_and_columns(tmp_path):
    assert FluoroSegData(write_case(tmp_path)).read(0).intensity.shape == SIZE
