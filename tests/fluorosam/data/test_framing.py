"""Image and masks move alike, plain framing changes nothing, and sides are where they are said to be."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from xraykit.fluorosam.data import (
    FramingSettings,
    PaddedSquare,
    SegmentationChanges,
    draw_framing,
    framed_maps,
    mask_places,
    plain_framing,
    seen_box,
)
from xraykit.render import InputError

STILL = SegmentationChanges.none().framing


def drawn(settings, seed=0, shown=(64, 64), edge=64, size=64, **options):
    return draw_framing(settings, np.random.default_rng(seed), shown=shown, edge=edge, size=size, **options)


def moved(mask, framing, cells=None):
    """A mask of the shown part of a square as a framing shows it."""
    edge = max(mask.shape)
    flat = np.zeros(edge * edge + 1, dtype=bool)
    flat[:-1].reshape(edge, edge)[: mask.shape[0], : mask.shape[1]] = mask
    cells = cells or framing.size
    return flat[mask_places(framing, mask.shape, edge, cells)].reshape(cells, cells)


def disc(height, width, x, y, radius):
    rows, columns = np.mgrid[:height, :width] + 0.5
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


@pytest.mark.parametrize("shown", [(64, 64), (64, 40), (33, 64)])
def test_no_change_is_the_stored_image_itself(shown):
    grey = torch.rand(shown, generator=torch.Generator().manual_seed(0))
    mask = grey.numpy() > 0.5
    for framing in (drawn(STILL, shown=shown), plain_framing(shown, 64, 64)):
        assert framing.is_plain and framing.shown == shown
        assert torch.equal(framed_maps(grey[None], framing, edge=64, outside=9.0)[0], grey)
        assert (moved(mask, framing)[: shown[0], : shown[1]] == mask).all()
        assert moved(mask, framing).sum() == mask.sum()


@pytest.mark.parametrize(("height", "width"), [(200, 100), (90, 201), (128, 128)])
def test_a_plain_framing_lies_as_a_padded_square_does(height, width):
    square, stored = PaddedSquare(height, width, 64), PaddedSquare(height, width, 80)
    framing = plain_framing(stored.shown, 80, 64)
    assert np.abs(np.array(framing.shown) - square.shown).max() <= 1
    image = torch.linspace(0, 1, height)[:, None] + torch.linspace(0, 2, width)
    kept = stored.resized(image)[None, : stored.shown[0], : stored.shown[1]]
    small = framed_maps(kept, framing, edge=80, outside=9.0)[0]
    rows, columns = (min(a, b) for a, b in zip(small.shape, square.shown, strict=True))
    assert (small[:rows, :columns] - square.resized(image)[:rows, :columns]).abs().max() < 0.06


@given(st.integers(0, 10_000))
def test_grey_values_and_masks_move_alike(seed):
    settings = replace(FramingSettings(), quarter_turns=0.5)
    mask = disc(80, 60, 34.0, 45.0, 17.0)
    framing = drawn(settings, seed, (80, 60), 80, 64, display_mirrored=seed % 2 == 0)
    top, left, bottom, right = seen_box(framing, mask.shape, 80)
    part = torch.from_numpy(mask[None, top:bottom, left:right].astype(np.float32))
    grey = framed_maps(part, framing, edge=80, outside=0.0, corner=(top, left))[0]
    rows, columns = framing.shown
    there = moved(mask, framing)
    assert not there[rows:].any() and not there[:, columns:].any()
    inside = there[:rows, :columns]
    assert (np.abs(grey.numpy() - inside) > 0.9).sum() == 0
    assert abs(float(grey.sum()) - inside.sum()) < 0.06 * max(inside.sum(), 200)


def test_a_mirrored_image_is_the_flipped_one():
    mask = disc(64, 40, 10.0, 20.0, 6.0)
    for options, settings in (({}, {"mirror": 1.0}), ({"display_mirrored": True}, {"displayed": 1.0})):
        framing = drawn(replace(STILL, **settings), shown=(64, 40), **options)
        assert (framing.mirrored, framing.flipped) == (not options, bool(options))
        assert (moved(mask, framing)[:, :40] == mask[:, ::-1]).all()
    both = drawn(replace(STILL, mirror=1.0, displayed=1.0), shown=(64, 40), display_mirrored=True)
    assert both.mirrored and both.flipped and (moved(mask, both)[:, :40] == mask).all()


def test_one_sided_images_and_those_shown_as_they_are_stay():
    settings = replace(STILL, mirror=1.0, displayed=1.0)
    framing = drawn(settings, may_mirror=False)
    assert not framing.mirrored and not framing.flipped and framing.is_plain


def test_quarter_turns_turn_an_upright_image_across():
    mask = disc(64, 40, 10.0, 20.0, 6.0)
    seen = set()
    for seed in range(30):
        framing = drawn(replace(STILL, quarter_turns=1.0), seed, (64, 40))
        seen.add(framing.quarters)
        assert framing.shown == ((40, 64) if framing.quarters % 2 else (64, 40))
        turned = moved(mask, framing)[: framing.shown[0], : framing.shown[1]]
        assert (turned == np.rot90(mask, framing.quarters)).mean() > 0.99
    assert seen == {1, 2, 3}


@given(st.integers(0, 10_000))
def test_at_zoom_one_no_border_is_seen(seed):
    settings = replace(STILL, aspect=1.0, quarter_turns=0.5)
    framing = drawn(settings, seed, (50, 64))
    x, y = framing.stored_places(64)
    rows, columns = framing.shown
    inside = (x[:rows, :columns], y[:rows, :columns] * 64 / 50)
    assert all(-0.01 < part.min() and part.max() < 1.01 for part in inside)
    assert 1 / 1.63 < rows / columns < 1.63


def test_zoom_magnifies_about_the_middle():
    framing = drawn(replace(STILL, zoom=(2.0, 2.0)))
    mask = disc(64, 64, 32.0, 32.0, 10.0)
    assert moved(mask, framing).sum() == pytest.approx(4 * mask.sum(), rel=0.02)
    assert moved(mask, framing, 128).sum() == pytest.approx(16 * mask.sum(), rel=0.02)


def test_beyond_the_image_lies_what_was_asked_for():
    framing = drawn(replace(STILL, zoom=(0.5, 0.5)))
    grey = framed_maps(torch.ones(1, 64, 64), framing, edge=64, outside=-3.0)[0]
    assert grey[0, 0] == -3 and grey[32, 32] == 1 and float((grey == 1).float().mean()) == pytest.approx(0.25, abs=0.02)


@given(st.integers(0, 10_000))
def test_what_is_looked_at_has_all_that_is_seen(seed):
    framing = drawn(FramingSettings(), seed, (50, 64))
    whole = torch.rand(2, 50, 64, generator=torch.Generator().manual_seed(seed))
    top, left, bottom, right = seen_box(framing, (50, 64), 64)
    part = framed_maps(whole[:, top:bottom, left:right], framing, edge=64, outside=2.0, corner=(top, left))
    assert (part - framed_maps(whole, framing, edge=64, outside=2.0)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"zoom": (2.0, 1.0)}, "zoom must be two ascending numbers"),
        ({"shift": 0.6}, "shift must be 0 to 0.5"),
        ({"mirror": 1.5}, "mirror must be a probability"),
        ({"ratio": 0.5}, "ratio must be 1 to 4"),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        FramingSettings(**options)
