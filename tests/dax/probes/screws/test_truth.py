"""Screws of an image: what is kept, what is refused, and how several images become a batch."""

import pytest
import torch
from xraykit.dax.probes.screws import ScrewTruth
from xraykit.dax.probes.screws.truth import truth_batch
from xraykit.render import InputError

INSIDE = torch.tensor([[[10.0, 20.0], [30.0, 40.0]]])


def test_a_keypoint_outside_is_accepted_if_invisible_and_loses_its_place():
    truth = ScrewTruth(torch.tensor([[[10.0, 20.0], [-5.0, 400.0]]]), torch.tensor([[True, False]]), (50, 60))
    assert len(truth) == 1
    torch.testing.assert_close(truth.points, torch.tensor([[[10.0, 20.0], [0.0, 0.0]]]))


def test_a_visible_keypoint_outside_is_refused():
    with pytest.raises(
        InputError, match=r"image of 60 x 50 px, got the tip of screw 1 at \(61, 40\); mark it invisible"
    ):
        ScrewTruth(
            torch.cat([INSIDE, INSIDE + torch.tensor([31.0, 0.0])]), torch.ones(2, 2, dtype=torch.bool), (50, 60)
        )


def test_a_keypoint_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="mark it invisible or correct it"):
        ScrewTruth(INSIDE * float("nan"), torch.ones(1, 2, dtype=torch.bool), (50, 60))


def test_a_screw_without_a_visible_keypoint_is_dropped():
    visible = torch.tensor([[False, False], [False, True]])
    truth = ScrewTruth(torch.cat([INSIDE, INSIDE]), visible, (50, 60))
    assert truth.visible.tolist() == [[False, True]]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(
        InputError, match=r"points \(N, 2, 2\) with visible \(N, 2\), got shapes \(1, 2, 2\) and \(2, 2\)"
    ):
        ScrewTruth(INSIDE, torch.ones(2, 2, dtype=torch.bool), (50, 60))


def test_a_batch_holds_shares_of_width_and_height_and_fills_up_with_invisible_screws():
    one = ScrewTruth(INSIDE, torch.ones(1, 2, dtype=torch.bool), (50, 60))
    none = ScrewTruth(torch.zeros(0, 2, 2), torch.zeros(0, 2, dtype=torch.bool), (50, 60))
    batch = truth_batch([none, one])
    assert batch.counts == (0, 1)
    torch.testing.assert_close(batch.points[1, 0], torch.tensor([[10 / 60, 20 / 50], [30 / 60, 40 / 50]]))
    assert batch.visible.tolist() == [[[False, False]], [[True, True]]]
