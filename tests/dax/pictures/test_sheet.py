"""Sheets: the X-ray upright and unmirrored, colours where the features are, captions beside them."""

import numpy as np
import pytest
from xraykit.dax.pictures import xray_sheet
from xraykit.dax.pictures.sheet import GAP, PANEL
from xraykit.render.pictures import PAPER


def corner(size=32, *, at=(0, -1)):
    """Black but for a bright corner."""
    image = np.zeros((size, size))
    rows, columns = (slice(0, size // 4) if place == 0 else slice(-(size // 4), None) for place in at)
    image[rows, columns] = 1.0
    return image


def panel(sheet, number, title=True):
    """The number-th panel of the first row."""
    top = GAP + (28 + GAP if title else 0)
    left = GAP + number * (PANEL + GAP)
    return sheet[top : top + PANEL, left : left + PANEL]


def test_the_xray_is_not_mirrored_nor_turned():
    shown = panel(xray_sheet(corner(), name="x"), 0)
    quarter = PANEL // 8
    assert (
        shown[quarter, -quarter].min() > 250
        and shown[quarter, quarter].max() < 5
        and shown[-quarter, -quarter].max() < 5
    )


def test_attention_lies_over_the_corner_that_it_is_of():
    attention = np.full((3, 4, 4), 1e-3)
    attention[:, 0, 3] = 1.0
    shown = panel(xray_sheet(np.zeros((32, 32)), name="x", attention=attention), 1).astype(int)
    quarter = PANEL // 8
    assert (
        shown[quarter, -quarter, 0] > 150 and shown[-quarter, quarter].max() < 5 and shown[quarter, quarter].max() < 5
    )


def test_colours_lie_over_the_corner_that_they_are_of_and_the_background_shows_the_xray():
    colours = np.zeros((4, 4, 3))
    colours[0, 3] = (1.0, 0.0, 0.0)
    foreground = np.zeros((4, 4), dtype=bool)
    foreground[0, 3] = True
    shown = panel(xray_sheet(np.ones((32, 32)), name="x", colours=colours, foreground=foreground), 1).astype(int)
    quarter = PANEL // 8
    assert shown[quarter, -quarter].tolist() == [255, 0, 0]
    assert shown[-quarter, quarter].tolist() == [128, 128, 128]


def test_each_head_has_a_picture_of_its_own():
    heads = np.random.default_rng(0).random((7, 4, 4))
    one = xray_sheet(corner(), name="x", attention=heads[:2])
    six = xray_sheet(corner(), name="x", attention=heads)
    twelve = xray_sheet(corner(), name="x", attention=np.concatenate([heads, heads[1:]]))
    assert one.shape[0] < six.shape[0] < twelve.shape[0] and one.shape[1] <= six.shape[1] == twelve.shape[1]


@pytest.mark.parametrize("name", ["", "x", "folder/" * 40 + "file.dcm"])
def test_a_sheet_is_as_wide_as_its_panels_whatever_the_name(name):
    sheet = xray_sheet(corner(), name=name, colours=np.ones((2, 2, 3)))
    assert sheet.shape[1] == 2 * PANEL + 3 * GAP and sheet.dtype == np.uint8
    assert (sheet[-1] == PAPER).all()
