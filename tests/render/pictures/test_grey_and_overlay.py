"""Pictures: windows map as said, display flips stay in the display, masks keep their place and colour."""

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.render import InputError, OutputError
from xraykit.render.pictures import montage, overlay, save_png, to_grey
from xraykit.render.pictures.grey_and_overlay import colours, legend, wrap

RAMP = np.linspace(1.0, 5.0, 20).reshape(4, 5)


def test_window_ends_are_black_and_white():
    grey = to_grey(RAMP, window=(1.0, 5.0))
    assert grey.dtype == np.uint8
    assert (grey.flat[0], grey.flat[-1]) == (0, 255)
    assert np.all(np.diff(grey.ravel().astype(int)) > 0)


def test_values_outside_the_window_are_clipped():
    grey = to_grey(RAMP, window=(2.0, 3.0))
    assert np.all(grey[RAMP <= 2.0] == 0)
    assert np.all(grey[RAMP >= 3.0] == 255)


def test_style_turns_black_into_white():
    bright, dark = (to_grey(RAMP, window=(1, 5), style=p) for p in ("bone_bright", "bone_dark"))
    assert np.all(np.abs(bright.astype(int) + dark - 255) <= 1)


def test_mirror_flips_left_to_right_only():
    assert np.array_equal(to_grey(RAMP, mirrored=True), to_grey(RAMP)[:, ::-1])


def test_bare_beam_is_black_also_with_detail():
    image = np.zeros((40, 40))
    image[10:30, 10:30] = 3 + np.random.default_rng(0).random((20, 20))
    for detail in (0.0, 2.0):
        assert np.all(to_grey(image, detail=detail)[image == 0] == 0)


def test_detail_raises_the_contrast_of_a_small_step_on_a_slope():
    image = np.linspace(1, 9, 96)[None].repeat(96, axis=0)
    image[44:52, 44:52] += 0.4

    def step(detail):
        grey = to_grey(image, detail=detail).astype(int)
        return grey[48, 48] - grey[30, 48]

    assert step(2.0) > 1.4 * step(0.0) > 0


def test_torch_images_and_dead_pixels_are_shown():
    image = torch.from_numpy(RAMP.copy())
    image[0, 0] = torch.nan
    assert to_grey(image)[0, 0] == 0
    assert np.all(to_grey(np.zeros((3, 3))) == 0)


@pytest.mark.parametrize("image", [np.zeros((1, 2, 3)), np.full((2, 2), np.nan)])
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(InputError, match=r"finite \(H, W\) image"):
        to_grey(image)


def test_unknown_style_is_refused():
    with pytest.raises(InputError, match="style must be one of bone_bright, bone_dark"):
        to_grey(RAMP, style="negative")


def test_overlay_colours_its_mask_and_nothing_else():
    grey = np.full((6, 6), 100, dtype=np.uint8)
    mask = np.zeros((6, 6), dtype=bool)
    mask[1:5, 1:5] = True
    picture = overlay(grey, {"heart": mask}, opacity=0.5)
    assert np.all(picture[~mask] == 100)
    assert tuple(picture[1, 1]) == colours(1)[0]  # outline in full colour
    expected = np.round(50 + 0.5 * np.array(colours(1)[0]))
    assert np.all(np.abs(picture[2, 2].astype(float) - expected) <= 1)


def test_overlapping_masks_mix_their_colours():
    grey, mask = np.zeros((3, 3), dtype=np.uint8), np.ones((3, 3), dtype=bool)
    picture = overlay(grey, {"a": mask, "b": mask}, opacity=1.0, outline=False)
    assert np.all(np.abs(picture[1, 1] - np.mean(colours(2), axis=0)) <= 1)


def test_mask_of_another_size_is_refused():
    with pytest.raises(InputError, match="mask 'heart' must have the shape"):
        overlay(np.zeros((3, 3), dtype=np.uint8), {"heart": np.zeros((3, 4), dtype=bool)})


def test_colours_differ_and_do_not_depend_on_their_number():
    assert len(set(colours(60))) == 60
    assert colours(60)[:7] == colours(7)


def test_legend_shows_each_colour_once():
    picture = legend(["heart", "lungs", "ribs"], columns=2)
    for colour in colours(3):
        assert np.any(np.all(picture == colour, axis=-1))


def test_montage_holds_every_picture_and_its_caption():
    dark, light = np.zeros((30, 20), dtype=np.uint8), np.full((40, 60, 3), 255, dtype=np.uint8)
    bare, full = montage([dark, light]), montage([dark, light], ["left", "two\nlines"], title="title")
    assert bare.shape == (60, 110, 3)
    assert full.shape[1] == 110
    assert full.shape[0] > 60 + 2 * 14
    assert np.array_equal(bare[10:50, 40:100], light)
    with pytest.raises(InputError, match="one caption per picture"):
        montage([dark], ["a", "b"])


def test_every_line_of_a_title_is_drawn_above_the_pictures():
    dark = np.zeros((30, 200, 3), dtype=np.uint8)
    none, one, two = (montage([dark], title=title) for title in ("", "a title", "a title\nof two lines"))
    line = len(two) - len(one)
    assert none.shape[0] < one.shape[0] < two.shape[0]
    np.testing.assert_array_equal(one[:36], two[:36])
    assert (two[36 : 36 + line].max(axis=(1, 2)) > 200).any()
    assert (two[-40:] == one[-40:]).all()


def test_captions_wrap_between_words():
    lines = wrap("the patient's left is on your right", width=90, size=14)
    assert len(lines) > 1
    assert " ".join(lines) == "the patient's left is on your right"


def test_png_holds_the_pixels(tmp_path):
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    path = save_png(tmp_path / "a.png", picture)
    assert np.array_equal(np.asarray(Image.open(path)), picture)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_png_into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        save_png(tmp_path / "none" / "a.png", np.zeros((2, 2), dtype=np.uint8))
