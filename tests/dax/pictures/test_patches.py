"""Colours of patches: the same for the same features in every image, and a foreground that is told from the border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xraykit.dax.pictures import patch_colours
from xraykit.dax.pictures.patches import otsu_threshold
from xraykit.render import InputError

KINDS = np.random.default_rng(3).normal(size=(4, 12)) * 0.4 + np.eye(4, 12) * 2  # background, then three tissues


def image(kinds, seed=0):
    """Features (12, h, w) of a grid of kinds."""
    values = KINDS[np.asarray(kinds)] + np.random.default_rng(seed).normal(scale=0.02, size=(*np.shape(kinds), 12))
    return np.moveaxis(values, -1, 0)


def framed(inside, edge=1):
    return np.pad(np.asarray(inside), edge)


INSIDE = np.array([[1, 1, 2, 2], [1, 3, 3, 2], [1, 3, 3, 2], [1, 1, 2, 2]])


def far_background(*maps):
    """Move kind 0 far from the others, so that it is the first component."""
    return [one + 5 * np.where(kinds == 0, 1.0, 0.0) * np.ones((12, 1, 1)) for one, kinds in maps]


@pytest.fixture
def pair():
    grids = framed(INSIDE), framed(INSIDE[::-1, :3])
    return grids, far_background(*((image(grid, n), grid) for n, grid in enumerate(grids)))


def rough(grids):
    return [(grid > 0) * 0.1 for grid in grids]


def test_what_is_smooth_is_background(pair):
    grids, maps = pair
    code = patch_colours(maps, rough(grids))
    for grid, values in zip(grids, maps, strict=True):
        np.testing.assert_array_equal(code.foreground(values), grid > 0)


def test_one_kind_has_one_colour_in_all_images_and_other_kinds_another(pair):
    grids, maps = pair
    code = patch_colours(maps, rough(grids))
    # three kinds differ along two components; the third holds noise alone
    colours = [[code.paint(v)[grid == kind] for grid, v in zip(grids, maps, strict=True)] for kind in (1, 2, 3)]
    means = [np.concatenate(parts).mean(0) for parts in colours]
    for parts, mean in zip(colours, means, strict=True):
        assert all(np.abs(part - mean)[:, :2].max() < 0.1 for part in parts)
    gaps = [np.abs(means[a] - means[b])[:2].max() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert min(gaps) > 0.5


def test_without_a_component_that_dominates_all_is_painted():
    values = np.random.default_rng(0).normal(size=(12, 9, 9))
    assert patch_colours([values], [np.ones((9, 9))]).foreground(values).all()


def test_colours_lie_between_0_and_1_also_for_images_that_it_was_not_fitted_to(pair):
    grids, maps = pair
    painted = patch_colours(maps, rough(grids)).paint(maps[0] * 7)
    assert painted.shape == (6, 6, 3) and painted.min() >= 0 and painted.max() <= 1


def test_a_turned_component_changes_nothing(pair):
    grids, maps = pair
    code, turned = patch_colours(maps, rough(grids)), patch_colours([-one for one in maps], rough(grids))
    for grid, values in zip(grids, maps, strict=True):
        np.testing.assert_array_equal(turned.foreground(-values), grid > 0)
        np.testing.assert_array_equal(code.foreground(values), grid > 0)


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([], "maps .* of one D"),
        ([np.ones((4, 3, 3)), np.ones((5, 3, 3))], "of one D"),
        ([np.ones((4, 3))], "of one D"),
        ([np.ones((2, 4, 4))], "8 patches or more of 3 channels"),
        ([np.ones((4, 2, 2))], "8 patches or more"),
        ([np.full((4, 3, 3), np.nan)], "finite"),
    ],
)
def test_maps_without_a_code_are_refused(maps, message):
    with pytest.raises(InputError, match=message):
        patch_colours(maps, [np.ones(np.shape(one)[1:]) for one in maps])


def test_texture_must_be_of_the_maps_size():
    with pytest.raises(InputError, match=r"texture must be \(h, w\) as the maps are"):
        patch_colours([np.ones((4, 3, 3))], [np.ones((3, 4))])


def test_patches_without_any_difference_have_a_code_too():
    values = np.ones((4, 3, 3))
    assert np.isfinite(patch_colours([values], [values[0]]).paint(values)).all()


def test_the_threshold_lies_in_the_gap_of_two_groups():
    values = np.concatenate([np.linspace(0, 1, 50), np.linspace(4, 5, 20)])
    assert 1 < otsu_threshold(values) < 4
    assert otsu_threshold(values) == pytest.approx(2.5, abs=0.1)


def test_no_cut_has_more_variance_between_its_classes():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 400), rng.normal(4, 1.5, 300)])

    def between(cut):
        above = values > cut
        return above.mean() * (1 - above.mean()) * (values[above].mean() - values[~above].mean()) ** 2

    others = np.linspace(values.min(), values.max(), 500)[1:-1]
    assert between(otsu_threshold(values)) >= max(map(between, others)) * (1 - 1e-3)  # 128 bins


def test_equal_values_have_themselves_as_threshold():
    assert otsu_threshold(np.full(9, 2.5)) == 2.5


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.floats(-10, 10))
def test_the_threshold_moves_with_the_values_and_stays_among_them(values, shift):
    values = np.round(np.array(values), 3)
    threshold = otsu_threshold(values)
    assert values.min() <= threshold <= values.max()
