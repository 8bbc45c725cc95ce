"""The collimation box: a mask's bounds and a margin, within the image, in pixels and millimetres."""

import pytest
import torch
from xraykit.fluorosam.app import CollimationBox, collimation_box
from xraykit.render import InputError


def mask_of(size, rows, columns):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[rows, columns] = True
    return mask


def edges(box):
    return box.left, box.top, box.right, box.bottom


def test_box_without_margin_touches_the_outermost_pixels():
    assert edges(collimation_box(mask_of((40, 60), slice(5, 9), slice(20, 21)), 0.0)) == (20, 5, 21, 9)


def test_margin_is_pixels_without_spacing_and_millimetres_with_one():
    mask = mask_of((40, 60), slice(15, 20), slice(20, 30))
    assert edges(collimation_box(mask, 3.0)) == (17, 12, 33, 23)
    box = collimation_box(mask, 3.0, spacing=(0.5, 1.5))
    assert edges(box) == (18, 9, 32, 26)
    assert box.size_mm == (14 * 1.5, 17 * 0.5)


def test_box_ends_at_the_image():
    assert edges(collimation_box(mask_of((40, 60), slice(1, 39), slice(2, 3)), 10.0)) == (0, 0, 13, 40)


def test_table_says_pixels_and_millimetres_from_the_corner_and_from_the_middle():
    table = CollimationBox(10, 20, 30, 40, 5.0, (0.5, 0.25)).as_table((40, 60))
    assert table["box_px"] == [10, 20, 30, 40] and table["box_mm"] == [2.5, 10, 7.5, 20]
    assert table["center_offset_mm"] == [-2.5, 5.0] and table["margin_unit"] == "mm"
    assert CollimationBox(10, 20, 30, 40, 5.0).as_table((40, 60))["box_mm"] is None


@pytest.mark.parametrize("margin", [-1.0, float("nan"), float("inf")])
def test_margins_that_are_none_are_refused(margin):
    with pytest.raises(InputError, match="the margin must be 0 or more"):
        collimation_box(mask_of((4, 4), 1, 1), margin)


def test_nothing_has_no_box():
    with pytest.raises(InputError, match="must have a structure in it, got an empty mask"):
        collimation_box(torch.zeros(4, 4, dtype=torch.bool), 1.0)
