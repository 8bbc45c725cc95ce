"""Overlap and distances of masks against closed forms and an independent program."""

import numpy as np
import pytest
import torch
from support.dataset_shards import disc
from xraykit.fluorosam.evaluate import border_distance, mask_overlap
from xraykit.render import InputError


def square(top, left, side, size=40):
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_overlap_of_shifted_squares():
    found = mask_overlap(square(5, 5, 10), square(5, 10, 10))
    assert found.iou == pytest.approx(50 / 150) and found.dice == pytest.approx(100 / 200)


def test_equal_masks_agree_wholly_and_empty_ones_too():
    empty = torch.zeros(40, 40, dtype=torch.bool)
    for mask in (square(5, 5, 10), empty):
        assert mask_overlap(mask, mask) == (1, 1) and border_distance(mask, mask) == (0, 0)
    assert mask_overlap(square(5, 5, 10), empty) == (0, 0)


def test_a_shift_is_its_own_hausdorff_distance_in_the_unit_of_the_spacing():
    there = border_distance(square(5, 5, 10), square(5, 8, 10))
    assert there.hausdorff == pytest.approx(3) and there.hd95 == pytest.approx(3)
    tall = border_distance(square(5, 5, 10), square(9, 5, 10), spacing=(0.5, 2.0))
    assert tall.hausdorff == pytest.approx(2)


def test_one_stray_pixel_moves_the_hausdorff_distance_and_not_hd95():
    mask = square(5, 5, 20)
    stray = mask.clone()
    stray[14, 39] = True
    found = border_distance(stray, mask)
    assert found.hausdorff == pytest.approx(15) and found.hd95 == 0


def test_an_empty_answer_is_as_far_as_the_image_is_long():
    found = border_distance(torch.zeros(40, 40, dtype=torch.bool), square(5, 5, 10), spacing=(3.0, 4.0))
    assert found == pytest.approx((200, 200))


def test_hausdorff_distance_is_that_of_simpleitk():
    itk = pytest.importorskip("SimpleITK")
    a, b = disc(48, 20.3, 25.1, 11), disc(48, 28.8, 22.4, 14)
    found = border_distance(torch.from_numpy(a), torch.from_numpy(b), spacing=(0.7, 1.3))
    masks = [itk.LabelContour(itk.GetImageFromArray(mask.astype(np.uint8)), False) for mask in (a, b)]
    for mask in masks:
        mask.SetSpacing((1.3, 0.7))
    judge = itk.HausdorffDistanceImageFilter()
    judge.Execute(*masks)
    assert found.hausdorff == pytest.approx(judge.GetHausdorffDistance(), rel=1e-6)
    assert 0 < found.hd95 <= found.hausdorff


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(InputError, match=r"two masks must be \(H, W\) bool of one size, got \(4, 4\)"):
        mask_overlap(torch.zeros(4, 4, dtype=torch.bool), torch.zeros(4, 5, dtype=torch.bool))
