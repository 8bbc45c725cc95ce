"""Parts of a DRR that fit want to stay where they are; displaced ones want back by as much."""

import math

import pytest
import torch
from xraykit.xvr.refine.similarity import box_mean
from xraykit.xvr.trust.local_shifts import NOTHING, local_shifts


def texture(seed: int) -> torch.Tensor:
    noise = torch.randn(80, 90, generator=torch.Generator().manual_seed(seed))
    return 3 * box_mean(noise[None, None], 5)[0, 0]


IMAGE = texture(0)
ALL = torch.ones_like(IMAGE, dtype=torch.bool)


def test_an_image_fits_itself_and_any_gain_and_offset_of_it():
    for other in (IMAGE, 0.1 * IMAGE + 7.0):
        assert local_shifts(IMAGE, other, ALL) == pytest.approx((0.0, 0.0), abs=1e-3)


@pytest.mark.parametrize("offset", [(1, 0), (0, -2), (2, 2), (-3, 0)])
def test_a_displaced_image_wants_back_by_as_much(offset):
    found = local_shifts(IMAGE, torch.roll(IMAGE, offset, (0, 1)), ALL)
    assert found.shift == pytest.approx(math.hypot(*offset), abs=0.1)
    assert found.gain > 0.1


def test_noise_alone_moves_nothing_but_another_image_does():
    noisy = IMAGE + 0.5 * IMAGE.std() * torch.randn(IMAGE.shape, generator=torch.Generator().manual_seed(1))
    right, wrong = (local_shifts(noisy, drr, ALL) for drr in (IMAGE, texture(2)))
    assert right.shift < 0.2 < 1.5 < wrong.shift
    assert right.gain < 0.02 < wrong.gain


def test_only_parts_that_are_wholly_compared_count():
    half = ALL.clone()
    half[:, 40:] = False
    other = torch.roll(IMAGE, 2, 1)
    other[:, :40] = IMAGE[:, :40]
    assert local_shifts(IMAGE, other, half).shift < 0.1 < local_shifts(IMAGE, other, ALL).shift
    assert local_shifts(IMAGE, other, torch.zeros_like(ALL)) == NOTHING


def test_parts_count_by_what_the_ct_knows_of_them():
    other = torch.roll(IMAGE, 2, 1)
    other[:, :45] = IMAGE[:, :45]
    known = torch.zeros_like(IMAGE)
    known[:, :45] = 1.0
    found = local_shifts(IMAGE, other, ALL, known)
    assert found.shift < 0.3 < local_shifts(IMAGE, other, ALL).shift
    assert local_shifts(IMAGE, other, ALL, torch.ones_like(IMAGE)) == pytest.approx(local_shifts(IMAGE, other, ALL))


def test_an_empty_drr_is_no_fit():
    assert local_shifts(IMAGE, torch.zeros_like(IMAGE), ALL) == NOTHING
