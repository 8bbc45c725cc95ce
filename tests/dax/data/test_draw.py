"""What is drawn for views, and how often."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import RandomResizedCrop
from xraykit.dax.data import VIEW_TABLE, MultiCropSettings, draw_crops
from xraykit.render import InputError

MANY = 4000
SQUARE = [(384, 384)] * MANY
PLACES = [(0, n) for n in range(MANY)]


def near(share: float, probability: float, n: int) -> bool:
    """Within 4.5 standard errors."""
    return abs(share - probability) <= 4.5 * np.sqrt(probability * (1 - probability) / n) + 1e-12


@pytest.mark.parametrize("augmentation", ["A", "B"])
def test_shares_are_those_of_the_published_table(augmentation):
    draws = draw_crops(MultiCropSettings(augmentation, local_crops=2), SQUARE, seed=5, places=PLACES)
    for kind, drawn in zip(VIEW_TABLE[augmentation], draws.views, strict=True):
        n = drawn.angles.size
        assert near((drawn.angles != 0).mean(), kind.rotate, n)
        assert near((drawn.blur_sigma > 0).mean(), kind.blur, n)
        assert near((~np.isnan(drawn.sharpness)).mean(), kind.sharpen, n)
        assert near(drawn.solarized.mean(), kind.solarize, n)
        assert near(drawn.jittered.mean(), 0.8, n)
        for flag in (drawn.flips[..., 0], drawn.flips[..., 1], drawn.contrast_first):
            assert near(flag.mean(), 0.5, n)
    assert near(draws.linear.mean(), 0.5 if augmentation == "B" else 0.0, MANY)


def test_the_published_table_is_as_published():
    first, second, local = VIEW_TABLE["A"]
    assert (first.blur, second.blur, local.blur, second.solarize) == (1.0, 0.1, 0.5, 0.2)
    assert first.rotate == second.rotate == local.rotate == first.sharpen == local.solarize == 0
    first, second, local = VIEW_TABLE["B"]
    assert (first.rotate, second.rotate, local.rotate) == (0, 0.8, 0.8)
    assert first.sharpen == second.sharpen == local.sharpen == 1
    assert (first.solarize, second.solarize, local.solarize) == (0, 0.2, 0)
    assert first.blur == second.blur == local.blur == 0


def test_strengths_are_uniform_over_their_published_ranges():
    a = draw_crops(MultiCropSettings("A", local_crops=1), SQUARE, seed=1, places=PLACES)
    b = draw_crops(MultiCropSettings("B", local_crops=1), SQUARE, seed=1, places=PLACES)
    local = b.views[2]
    cases = [
        (a.views[0].brightness, 0.6, 1.4),
        (a.views[0].contrast, 0.6, 1.4),
        (a.views[0].blur_sigma, 0.1, 2.0),
        (local.angles[local.angles != 0], -180, 180),
        (local.sharpness, 0.8, 1.2),
        (b.deviations, 2.0, 3.5),
    ]
    for values, low, high in cases:
        assert low <= values.min()
        assert values.max() < high
        quantiles = np.quantile(values, [0.1, 0.5, 0.9])
        np.testing.assert_allclose(quantiles, low + (high - low) * np.array([0.1, 0.5, 0.9]), atol=0.03 * (high - low))
    assert np.all(a.deviations == 3.0)


@pytest.mark.parametrize("size", [(384, 384), (300, 500), (500, 120)])
@pytest.mark.parametrize("scale", [(0.4, 1.0), (0.05, 0.4)])
def test_boxes_are_distributed_as_those_of_torchvision(size, scale):
    n = 3000
    settings = MultiCropSettings(global_scale=scale, local_crops=0)
    ours = draw_crops(settings, [size] * n, seed=2, places=PLACES[:n]).views[0].boxes[:, 0]
    torch.manual_seed(0)
    crop = RandomResizedCrop(8, scale=scale, ratio=(1, 1))
    image = torch.zeros(1, *size)
    theirs = [crop.make_params([image]) for _ in range(n)]
    theirs = np.array([[p["top"], p["left"], p["height"], p["width"]] for p in theirs])
    assert np.all(ours[:, :2] >= 0)
    assert np.all(ours[:, :2] + ours[:, 2:] <= size)
    for column in range(4):
        error = 4.5 * np.sqrt((ours[:, column].var() + theirs[:, column].var()) / n)
        assert abs(ours[:, column].mean() - theirs[:, column].mean()) <= error + 1e-9
        spread = theirs[:, column].std()
        assert abs(ours[:, column].std() - spread) <= 0.08 * spread + 1e-9


def test_a_crop_that_never_fits_becomes_the_middle():
    settings = MultiCropSettings(global_scale=(0.9, 1.0), local_crops=0)
    draws = draw_crops(settings, [(100, 300), (300, 100)], seed=0, places=PLACES[:2])
    assert draws.views[0].boxes[:, 0].tolist() == [[0, 100, 100, 100], [100, 0, 100, 100]]


def test_draws_of_a_frame_do_not_depend_on_its_company():
    settings = MultiCropSettings("B", local_crops=3)
    sizes = [(100 + 7 * n, 90 + n) for n in range(6)]
    places = [(2, 5 * n) for n in range(6)]
    together = draw_crops(settings, sizes, seed=9, places=places)
    alone = draw_crops(settings, sizes[4:5], seed=9, places=places[4:5])
    assert alone.deviations[0] == together.deviations[4]
    for one, many in zip(alone.views, together.views, strict=True):
        for name in ("boxes", "angles", "flips", "brightness", "sharpness", "solarized"):
            np.testing.assert_array_equal(getattr(one, name)[0], getattr(many, name)[4])


def test_more_local_views_leave_the_others_as_they_are():
    few, many = (
        draw_crops(MultiCropSettings(local_crops=n), SQUARE[:3], seed=0, places=PLACES[:3]).views[2].boxes
        for n in (2, 5)
    )
    np.testing.assert_array_equal(few, many[:, :2])


@pytest.mark.parametrize("change", [{"seed": 1}, {"places": [(1, 0)]}, {"places": [(0, 1)]}])
def test_seed_epoch_and_frame_each_change_the_draws(change):
    asked = {"seed": 0, "places": [(0, 0)]}
    base, other = (
        draw_crops(MultiCropSettings(), [(90, 90)], **kw).views[2].brightness for kw in (asked, asked | change)
    )
    assert not np.any(base == other)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"augmentation": "C"}, "augmentation"),
        ({"global_size": 0}, "global_size"),
        ({"local_crops": -1}, "local_crops"),
        ({"local_scale": (0.5, 0.2)}, "local_scale"),
        ({"global_scale": (0.0, 1.0)}, "global_scale"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        MultiCropSettings(**values)
