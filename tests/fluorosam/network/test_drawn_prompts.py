"""Points and boxes in the mask prompt: where they are and nothing else, on top of the mask that a prompt has."""

from dataclasses import replace

import torch
from support.fluorosam_networks import TINY
from xraykit.fluorosam import PromptBatch, new_network
from xraykit.fluorosam.network import ABSENT, draw_prompts

SIZE, EDGE = 64, 32


def drawn(**prompts):
    return draw_prompts(PromptBatch(**prompts), image_size=SIZE, edge=EDGE)


def test_a_box_is_sure_inside_and_outside():
    made = drawn(boxes=torch.tensor([[[8.0, 16.0, 40.0, 32.0]]]))
    inside = made.masks[0, 0] > 0
    assert bool(made.has_mask.all()) and torch.equal(made.masks.abs(), torch.full_like(made.masks, 4.0))
    assert inside.nonzero().min(0).values.tolist() == [8, 4] and inside.nonzero().max(0).values.tolist() == [15, 19]


def test_points_are_bumps_of_their_sign_where_they_are_and_nothing_far_from_them():
    points = torch.tensor([[[[11.0, 21.0], [51.0, 41.0], [30.0, 30.0]]]])
    made = drawn(points=points, point_labels=torch.tensor([[[1, 0, ABSENT]]])).masks[0, 0]
    assert float(made[10, 5]) > 11.5 and float(made[20, 25]) < -11.5
    assert float(made[15, 15].abs()) < 1e-3 and float(made[31, 0].abs()) < 1e-6


def test_a_mask_stays_but_around_points_and_wins_over_a_box():
    mask = torch.randn(1, 1, EDGE, EDGE, generator=torch.Generator().manual_seed(0))
    made = drawn(
        masks=mask,
        boxes=torch.tensor([[[8.0, 16.0, 40.0, 32.0]]]),
        points=torch.tensor([[[[11.0, 21.0]]]]),
        point_labels=torch.tensor([[[1]]]),
    ).masks
    assert torch.allclose(made[0, 0, 20:], mask[0, 0, 20:], atol=1e-4)
    assert float(made[0, 0, 10, 5]) > 11.5


def test_words_alone_have_no_mask_and_each_prompt_has_its_own():
    words = PromptBatch(text=torch.zeros(1, 2, 16))
    assert draw_prompts(words, image_size=SIZE, edge=EDGE) is words
    made = drawn(
        text=torch.zeros(1, 2, 16),
        boxes=torch.tensor([[[8.0, 16.0, 40.0, 32.0], [0.0, 0.0, 1.0, 1.0]]]),
        has_box=torch.tensor([[True, False]]),
    )
    assert made.has_mask.tolist() == [[True, False]] and float(made.masks[0, 1].abs().max()) == 0


def test_a_network_that_draws_answers_a_box_by_where_it_is_from_the_first_day():
    sees, does_not = (new_network(replace(TINY, drawn=drawn), seed=3).eval() for drawn in (True, False))
    box = PromptBatch(boxes=torch.tensor([[[8.0, 16.0, 40.0, 32.0]]]))
    dense = sees.encode_prompts(box).dense
    assert dense.shape == (1, 1, 32, 8, 8)
    assert does_not.encode_prompts(box).dense.shape == (1, 1, 32, 1, 1)
    rows = dense[0, 0, :, 2:4, 1:5].flatten(1)
    assert torch.allclose(rows, rows[:, :1].expand_as(rows), atol=1e-5)
    assert not torch.allclose(dense[0, 0, :, 2, 2], dense[0, 0, :, 7, 7], atol=1e-3)
