"""The pixel head is the convolution of upsampled maps, learns, and is scored by plain counts."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.dax_probes import toy_images, toy_store
from torch.nn.functional import conv2d, interpolate
from xraykit.dax.probes import grouped_folds
from xraykit.dax.probes.metal import (
    HeadTraining,
    MetalRow,
    PixelHead,
    dice,
    mask_loss,
    metal_rows,
    predicted_masks,
    train_pixel_head,
)
from xraykit.dax.probes.metal.metal_report import metal_report
from xraykit.render import InputError

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")

SHORT = HeadTraining(steps=60, rate=0.2)


def random_head(channels=(5, 7, 9), size=56):
    torch.manual_seed(0)
    head = PixelHead(channels, size)
    with torch.no_grad():
        for values in (head.weight, head.bias, head.mean):
            values.normal_()
        head.scale.uniform_(0.5, 2)
    return head, [torch.randn(2, c, s, s) for c, s in zip(channels, (28, 14, 7), strict=False)]


def test_projecting_first_equals_the_convolution_of_upsampled_maps():
    head, maps = random_head()
    up = torch.cat([interpolate(one, (56, 56), mode="bilinear", align_corners=False) for one in maps], 1)
    standard = (up - head.mean[:, None, None]) / head.scale[:, None, None]
    whole = conv2d(standard, head.weight[None, :, None, None], head.bias[None])[:, 0]
    torch.testing.assert_close(head(maps), whole, atol=2e-5, rtol=1e-5)


def test_it_equals_it_to_float64_precision_in_float64():
    head, maps = random_head()
    head, maps = head.double(), [one.double() for one in maps]
    up = torch.cat([interpolate(one, (56, 56), mode="bilinear", align_corners=False) for one in maps], 1)
    standard = (up - head.mean[:, None, None]) / head.scale[:, None, None]
    whole = conv2d(standard, head.weight[None, :, None, None], head.bias[None])[:, 0]
    torch.testing.assert_close(head(maps), whole, atol=1e-12, rtol=1e-12)


def test_channels_are_standardised_by_mean_and_deviation_over_images_and_places():
    _, maps = random_head()
    maps[0][:, 0] = 3.0
    head = PixelHead((5, 7, 9), 56)
    head.standardise(iter([[one[:1] for one in maps], [one[1:] for one in maps]]))
    torch.testing.assert_close(head.mean, torch.cat([one.mean((0, 2, 3)) for one in maps]), atol=1e-6, rtol=1e-5)
    scale = torch.cat([one.std((0, 2, 3), correction=0) for one in maps])
    scale[0] = 1.0
    torch.testing.assert_close(head.scale, scale, atol=1e-6, rtol=1e-5)


def test_maps_of_another_backbone_are_refused():
    head, maps = random_head()
    with pytest.raises(InputError, match=r"must have \[5, 7, 9\] channels, got \[7, 9\]"):
        head(maps[1:])
    with pytest.raises(InputError, match="standardised by training images, got none"):
        head.standardise(iter([]))


def test_dice_is_a_count_of_pixels():
    rng = np.random.default_rng(0)
    truth, found = rng.random((20, 9, 9)) < 0.3, rng.random((20, 9, 9)) < 0.4
    mine = dice(truth.sum((1, 2)), found.sum((1, 2)), (truth & found).sum((1, 2)))
    for n in range(20):
        t, f = set(np.flatnonzero(truth[n])), set(np.flatnonzero(found[n]))
        assert mine[n] == pytest.approx(2 * len(t & f) / (len(t) + len(f)))


def test_dice_of_two_empty_masks_is_one_and_of_one_is_zero():
    assert dice([0, 4, 0], [0, 0, 4], [0, 0, 0]).tolist() == [1.0, 0.0, 0.0]


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="at most those of each"):
        dice([3], [3], [4])


def test_the_loss_is_that_of_torch_and_dice_comes_on_top():
    torch.manual_seed(0)
    logits, truth = torch.randn(2, 5, 5), (torch.rand(2, 5, 5) < 0.3).float()
    bce = torch.nn.functional.binary_cross_entropy_with_logits(logits, truth)
    torch.testing.assert_close(mask_loss(logits, truth, "bce"), bce)
    p = torch.sigmoid(logits)
    extra = 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())
    torch.testing.assert_close(mask_loss(logits, truth, "bce+dice"), bce + extra)


def test_a_mask_of_another_size_and_another_loss_are_refused():
    with pytest.raises(InputError, match="as large as the logits"):
        mask_loss(torch.zeros(1, 4, 4), torch.zeros(1, 5, 5), "bce")
    with pytest.raises(InputError, match="'focal'"):
        mask_loss(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4), "focal")  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", ["bce", "bce+dice"])
def test_a_head_learns_bright_pixels_and_finds_them_in_unseen_images(tmp_path, loss):
    store = toy_store(tmp_path)
    head = train_pixel_head(store, range(16), replace(SHORT, loss=loss))
    found = predicted_masks(head, [one.values for one in store.maps], np.arange(16, 24), batch=3)
    truth = store.masks[16:24]
    assert dice(truth.sum((1, 2)), found.sum((1, 2)), (truth & found).sum((1, 2))).min() > 0.95


def test_every_image_has_a_row_whose_counts_are_those_of_its_mask(tmp_path):
    store = toy_store(tmp_path, toy_images(empty=3))
    folds, told = grouped_folds(store.patients, folds=4), []
    rows, found = metal_rows(
        store, folds, backbone="toy", training=SHORT, report=lambda done, total: told.append((done, total))
    )
    assert [row.case for row in rows] == list(store.names) and told[-1] == (240, 240)
    for n, row in enumerate(rows):
        truth = store.masks[n]
        assert (row.truth, row.found, row.both) == (truth.sum(), found[n].sum(), (truth & found[n]).sum())
        assert row.fold == folds[n]
    assert [row.truth for row in rows[:3]] == [0, 0, 0]


def test_images_without_any_metal_teach_a_head_to_find_none(tmp_path):
    store = toy_store(tmp_path, toy_images(empty=24))
    rows, _ = metal_rows(store, grouped_folds(store.patients, folds=2), backbone="toy", training=HeadTraining(steps=20))
    assert all(row.found == 0 for row in rows)


def test_a_store_without_maps_no_images_and_bad_settings_are_refused(tmp_path):
    store = toy_store(tmp_path)
    with pytest.raises(InputError, match="must hold feature maps and masks, got none"):
        train_pixel_head(replace(store, maps=()), range(4))
    with pytest.raises(InputError, match="must hold feature maps and masks, got none"):
        train_pixel_head(replace(store, masks=None), range(4))
    with pytest.raises(InputError, match="got 0 images"):
        train_pixel_head(store, [])
    with pytest.raises(InputError, match="positive steps"):
        train_pixel_head(store, range(4), HeadTraining(steps=0))
    with pytest.raises(InputError, match="a patient must be in one fold"):
        metal_rows(store, [n % 3 for n in range(24)], backbone="toy")


def test_the_report_counts_images_without_metal_and_shows_masks(tmp_path):
    store = toy_store(tmp_path, toy_images(empty=3))
    rows, masks = metal_rows(store, grouped_folds(store.patients, folds=4), backbone="toy", training=SHORT)
    worse = [replace(row, backbone="worse", both=row.both // 2) for row in rows]
    report = metal_report([*rows, *worse], {"toy": (store, masks)}, shown=4)
    values = [1.0 if row.truth + row.found == 0 else 2 * row.both / (row.truth + row.found) for row in rows]
    assert report.numbers["dice"][0]["score"] == pytest.approx(np.mean(values))
    assert report.numbers["empty"] == 3 and "3 of them without metal" in report.lead
    assert report.numbers["differences"][0]["low"] > 0
    assert all(picture.png.startswith(b"\x89PNG") for picture in report.pictures) and len(report.pictures) == 2


def test_rows_survive_a_file(tmp_path):
    from xraykit.render.evaluation import read_rows, write_rows

    rows = [MetalRow("toy", "i0", "p0", 0, "digest", 4, 5, 3)]
    assert read_rows(write_rows(tmp_path / "rows.csv", rows), MetalRow) == rows
