"""Masks lie over the X-ray in the legend's colours; many labels become families, tools stay themselves."""

import numpy as np
import pytest
from xraykit.render.pictures.grey_and_overlay import colours, legend, montage, overlay
from xraykit.render.pictures.labelled import MOST_COLOURS, joined_families, labelled_picture

GREY = np.tile(np.arange(60, dtype=np.uint8), (40, 1))


def block(left: int) -> np.ndarray:
    mask = np.zeros(GREY.shape, bool)
    mask[5:15, left : left + 6] = True
    return mask


def test_many_labels_are_joined_into_families():
    masks = {name: np.array([name.endswith("12")]) for name in ("rib_left_0", "rib_right_12")}
    names = ("vertebrae_L3", "vertebrae_T12", "lung_upper_lobe_left", "kidney_right", "heart")
    masks |= {name: np.array([False]) for name in names}
    joined = joined_families(masks)
    assert list(joined) == ["rib", "vertebrae", "lung", "kidney", "heart"]
    assert joined["rib"].all()


def test_tools_are_no_families_and_come_last():
    masks = {"screw_1": block(0), "rib_left_1": block(8), "screw_2": block(20), "rib_right_2": block(30)}
    joined = joined_families(masks, tools=["screw_2", "screw_1", "needle"])
    assert list(joined) == ["rib", "screw_2", "screw_1"]
    assert np.array_equal(joined["rib"], block(8) | block(30)) and joined["screw_1"] is masks["screw_1"]


def test_picture_is_overlay_and_legend_side_by_side():
    masks = {"heart": block(3), "liver": block(30)}
    expected = montage([overlay(GREY, masks), legend(["heart", "liver"], width=220)])
    assert np.array_equal(labelled_picture(GREY, masks), expected)
    assert tuple(labelled_picture(GREY, masks)[10 + 5, 10 + 3]) == colours(1)[0]  # the outline, behind a border of 10


def test_legend_takes_as_many_columns_as_the_picture_is_low():
    masks = {name: block(4) for name in "abcde"}
    assert labelled_picture(GREY, masks).shape[1] == 60 + 3 * 220 + 30  # two rows of 19 px fit into 40 px


def test_mirror_turns_the_picture_and_not_the_legend():
    masks = {"heart": block(3)}
    plain, mirrored = labelled_picture(GREY, masks), labelled_picture(GREY, masks, mirrored=True)
    assert np.array_equal(mirrored[10:50, 10:70], plain[10:50, 10:70][:, ::-1])
    assert np.array_equal(mirrored[:, 75:], plain[:, 75:])


@pytest.mark.parametrize(("number", "shown"), [(MOST_COLOURS, MOST_COLOURS), (MOST_COLOURS + 1, 1)])
def test_labels_are_joined_only_where_colours_run_out(number, shown):
    masks = {f"rib_left_{n}": block(n) for n in range(number)}
    columns = -(-shown // 2)
    assert labelled_picture(GREY, masks).shape[1] == 60 + columns * 220 + 30


def test_without_masks_the_picture_is_left():
    assert np.array_equal(labelled_picture(GREY, {}), np.repeat(GREY[..., None], 3, axis=2))
