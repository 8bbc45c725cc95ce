"""Points lie in their region, every pixel as likely as any other, with the truth's label; boxes hold their masks."""

import torch
from xraykit.fluorosam.network import ABSENT, NEGATIVE, POSITIVE
from xraykit.fluorosam.train import draw_boxes, draw_points

TRUTH = torch.zeros(6, 6, dtype=torch.bool)
TRUTH[1:3, 2:5] = True
SHIFTED = TRUTH.roll(1, dims=1)


def test_each_pixel_of_the_region_comes_once_in_order():
    region = TRUTH != SHIFTED
    count = int(region.sum())
    draws = (torch.arange(count) + 0.5) / count
    points, labels = draw_points(region.expand(count, 6, 6), TRUTH.expand(count, 6, 6), draws, size=24)
    expected = region.nonzero().flip(1)
    assert torch.equal(points, (expected + 0.5) * 4)
    assert labels.tolist() == [POSITIVE if TRUTH[y, x] else NEGATIVE for x, y in expected.tolist()]


def test_the_ends_of_the_draw_are_the_ends_of_the_region():
    ends = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    points, _ = draw_points(TRUTH.expand(2, 6, 6), TRUTH.expand(2, 6, 6), ends, size=6)
    assert points.tolist() == [[2.5, 1.5], [4.5, 2.5]]


def test_an_empty_region_has_no_point():
    nothing = torch.zeros(2, 3, 6, 6, dtype=torch.bool)
    nothing[1, 2, 5, 5] = True
    points, labels = draw_points(nothing, TRUTH.expand(2, 3, 6, 6), torch.full((2, 3), 0.9), size=6)
    assert points.shape == (2, 3, 2)
    assert labels.flatten().tolist() == [ABSENT] * 5 + [NEGATIVE]


def test_boxes_hold_their_masks_and_move_a_little():
    exact = draw_boxes(TRUTH, torch.zeros(4), size=12)
    assert exact.tolist() == [4.0, 2.0, 10.0, 6.0]
    big = torch.zeros(448, 448, dtype=torch.bool)
    big[100:400, 50:100] = True
    moved = draw_boxes(big, torch.tensor([1.0, 100.0, -1.0, -100.0]), size=448)
    assert moved.tolist() == [55.0, 120.0, 95.0, 380.0]  # a tenth of the side, at most 20 px
    crossed = draw_boxes(
        TRUTH.expand(50, 6, 6), 30 * torch.randn(50, 4, generator=torch.Generator().manual_seed(0)), size=6
    )
    assert bool((crossed[:, :2] <= crossed[:, 2:]).all()) and bool(((crossed >= 0) & (crossed <= 6)).all())
