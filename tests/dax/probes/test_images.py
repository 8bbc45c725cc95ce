"""Images of data sets and of tables come to the square with their truth in the right place."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.dataset_shards import disc, write_dataset
from support.dax_probes import ENDS
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.probes import images_of_job, images_of_table
from xraykit.dax.probes.probe_set import spread
from xraykit.render import FileError, InputError

SMALL = PreprocessSettings(size=32)
SHUTTER = {"physics": {"shutter": {"rectangle": [0.0, 0.0, 8.0, 16.0]}}}


def job(folder, **options):
    return write_dataset(folder / "job", {"images": [6, 6]}, views=3, **options)


def test_regions_come_from_records_in_the_order_of_shards(tmp_path):
    images = images_of_job(job(tmp_path, region="knee"), "region", SMALL)
    found = list(images)
    assert len(images) == len(found) == 12 and [one.label for one in found] == ["knee"] * 12
    assert [one.name for one in found] == [f"{p:06d}_{v:04d}" for p in range(4) for v in range(3)]
    assert [one.patient for one in found] == [f"{p:06d}" for p in range(4) for _ in range(3)]
    assert all(one.image.shape == (1, 32, 32) and 0 <= one.image.min() and one.image.max() <= 1 for one in found)


def test_bone_is_bright_where_the_disc_is(tmp_path):
    one = next(iter(images_of_job(job(tmp_path, masks={"bone": disc(16, 8, 8, 4)}), "region", SMALL)))
    truth = torch.from_numpy(disc(32, 16, 16, 6))
    assert one.image[0][truth].mean() > one.image[0][:4].mean()


def test_metal_is_the_union_of_tools_and_organs_are_none(tmp_path):
    a, b = disc(16, 4, 4, 3), disc(16, 11, 11, 3)
    folder = job(tmp_path, masks={"bone": disc(16, 8, 8, 7)}, tools={"nail": a, "plate": b})
    for one in images_of_job(folder, "metal", SMALL):
        assert np.array_equal(one.mask, np.kron(a | b, np.ones((2, 2), bool)))


def test_images_without_tools_have_an_empty_mask(tmp_path):
    assert not any(one.mask.any() for one in images_of_job(job(tmp_path), "metal", SMALL))


def test_metal_behind_the_collimator_does_not_count(tmp_path):
    tool = np.ones((16, 16), bool)
    one = next(iter(images_of_job(job(tmp_path, tools={"nail": tool}, edit=SHUTTER), "metal", SMALL)))
    columns = one.mask.any(0)
    assert columns[:14].all() and not columns[18:].any()


def test_keypoints_lie_where_the_square_shows_them(tmp_path):
    tools = [{"name": "cannulated_screw", "ends": ENDS}, {"name": "k_wire"}]
    one = next(iter(images_of_job(job(tmp_path, edit={"tools": tools}), "screws", SMALL)))
    assert one.keypoints.shape == (1, 2, 3)
    torch.testing.assert_close(one.keypoints[0], torch.tensor([[4.0, 6, 1], [24, 18, 1]]).double())


def test_images_without_screws_have_no_keypoints(tmp_path):
    assert next(iter(images_of_job(job(tmp_path), "screws", SMALL))).keypoints.shape == (0, 2, 3)


def test_a_limit_takes_images_evenly_from_all():
    assert spread(12, 4) == (0, 3, 6, 9) and spread(3, 9) == (0, 1, 2) and spread(3, None) == (0, 1, 2)
    with pytest.raises(InputError, match="limit must be 1 image or more, got 0"):
        spread(3, 0)


def test_the_identity_follows_data_truth_preprocessing_and_limit(tmp_path):
    folder = job(tmp_path)
    first = images_of_job(folder, "region", SMALL)
    assert first.identity == images_of_job(folder, "region", SMALL).identity
    others = [
        images_of_job(folder, "metal", SMALL),
        images_of_job(folder, "region", PreprocessSettings(size=32, deviations=2.0)),
        images_of_job(folder, "region", SMALL, limit=5),
        images_of_job(job(tmp_path / "other", region="hip"), "region", SMALL),
    ]
    assert len({first.identity, *(one.identity for one in others)}) == 5


def test_another_truth_and_no_data_set_are_refused(tmp_path):
    with pytest.raises(InputError, match="a probe asks for region, metal, screws, got 'age'"):
        images_of_job(tmp_path, "age", SMALL)  # type: ignore[arg-type]
    with pytest.raises(FileError, match=r"manifest.json"):
        images_of_job(tmp_path, "region", SMALL)


def table(folder, *, header="path,patient,label,mask", rows=None, height=24, width=16):
    rng = np.random.default_rng(0)
    for n in range(3):
        codes = rng.integers(10_000, 60_000, (height, width)).astype(np.uint16)
        Image.fromarray(codes).save(folder / f"x{n}.png")
        mask = np.zeros((height, width), np.uint8)
        mask[6:12, 4:8] = 255
        Image.fromarray(mask).save(folder / f"m{n}.png")
    rows = [f"x{n}.png,p{n},hand,m{n}.png" for n in range(3)] if rows is None else rows
    path = folder / "images.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_table_gives_patients_labels_and_masks(tmp_path):
    found = list(images_of_table(table(tmp_path), PreprocessSettings(size=24), masks=True))
    assert [(one.name, one.patient, one.label) for one in found] == [(f"x{n}.png", f"p{n}", "hand") for n in range(3)]
    mask = torch.zeros(24, 24, dtype=torch.bool)
    mask[6:12, 8:12] = True  # padded by 4 at either side
    assert all(torch.equal(one.mask, mask) for one in found)
    assert all(one.mask is None for one in images_of_table(table(tmp_path), SMALL))


def test_the_identity_of_a_table_follows_its_files(tmp_path):
    first = images_of_table(table(tmp_path), SMALL).identity
    assert first == images_of_table(table(tmp_path), SMALL).identity
    Image.fromarray(np.full((24, 16), 30_000, np.uint16)).save(tmp_path / "x1.png")
    assert first != images_of_table(tmp_path / "images.csv", SMALL).identity


def test_a_mask_of_another_size_is_refused(tmp_path):
    images = images_of_table(table(tmp_path), SMALL, masks=True)
    Image.fromarray(np.zeros((20, 16), np.uint8)).save(tmp_path / "m1.png")
    with pytest.raises(FileError, match=r"m1.png must be as large as its X-ray, 24 x 16 pixels, got 20 x 16"):
        list(images)


@pytest.mark.parametrize(
    "change, match",
    [
        ({"header": "path,patient,region,mask"}, "got none of label"),
        ({"rows": ["x0.png,,hand,m0.png"]}, "row 1 must have a patient, got an empty cell"),
        ({"rows": ["x0.png,p,hand,m0.png", "x1.png,p"]}, "row 2 must have a label"),
        ({"rows": []}, "must have rows with the columns path, patient, label"),
        ({"rows": ["nothing.png,p,hand,m0.png"]}, "nothing.png must be a file that can be read"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, change, match):
    with pytest.raises(FileError, match=match):
        images_of_table(table(tmp_path, **change), SMALL)


def test_a_missing_table_and_a_mask_that_is_no_image_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"none.csv must be a CSV file"):
        images_of_table(tmp_path / "none.csv", SMALL)
    path = table(tmp_path)
    (tmp_path / "m0.png").write_bytes(b"text")
    with pytest.raises(FileError, match=r"m0.png must be an image file of a mask"):
        next(iter(images_of_table(path, SMALL, masks=True)))


def test_damaged_shards_are_left_out_of_images_and_of_cases(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [2, 3]}, size=16)
    (folder / "train-000000.tar").write_bytes(b"torn")
    found = images_of_job(folder, "region", SMALL)
    assert len(found) == len(list(found)) == len(found.cases()) == 3
    ((name, sentence),) = found.left_out
    assert name == "train-000000.tar" and "bytes of the manifest" in sentence
