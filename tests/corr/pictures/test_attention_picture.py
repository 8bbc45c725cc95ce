"""Attention over X-rays: even attention has no colour, a patch that is looked at has."""

import numpy as np
import pytest
import torch
from xraykit.corr.pictures import AttentionLook, draw_attention
from xraykit.render import InputError


def coloured(picture):
    return int((np.ptp(picture.astype(int), axis=2) > 25).sum())


def test_only_what_is_looked_at_more_than_the_mean_is_coloured():
    images = torch.full((2, 1, 32, 32), 0.5)
    even = torch.full((2, 4, 4), 1 / 32)
    peaked = even.clone()
    peaked[1, 2, 1] += 0.5
    without = draw_attention(images, [AttentionLook("not guided", even)], views=["PA", "lateral"], title="study")
    with_peak = draw_attention(images, [AttentionLook("guided", peaked), AttentionLook("not guided", even)])
    assert coloured(without) == 0 and coloured(with_peak) > 1000
    columns = (np.ptp(with_peak.astype(int), axis=2) > 25).any(0).nonzero()[0]
    assert columns.min() >= 330 and columns.max() < 660  # the second view of the first look
    assert with_peak.shape[1] > 1.9 * without.shape[1]


def test_maps_of_other_views_are_refused():
    with pytest.raises(InputError, match=r"needs maps \(V, G, G\) of 2 views"):
        draw_attention(torch.zeros(2, 1, 32, 32), [AttentionLook("one", torch.ones(1, 4, 4))])
