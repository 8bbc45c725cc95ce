"""The regime of a step: which rounds count, what is asked in each, and that a network learns by it."""

from dataclasses import replace

import pytest
import torch
from support.fluorosam_training import TINY, box_batch
from xraykit.fluorosam.loss import presence_loss
from xraykit.fluorosam.network import ABSENT, MaskLogits, PromptBatch, QuantiserConfig, new_network, presence_network
from xraykit.fluorosam.train import (
    PromptRoundSettings,
    SegmentationObjectiveSettings,
    answer_rounds,
    draw_rounds,
    prompt_round_loss,
)
from xraykit.fluorosam.train.prompt_rounds import BOX, POINT, TEXT, TEXT_AND_BOX, inside_image

WEIGHTS = SegmentationObjectiveSettings()


def drawn(absent, seed=0, **settings):
    settings = {"corrections": 0.0, **settings}
    return draw_rounds(absent, PromptRoundSettings(**settings), torch.Generator().manual_seed(seed))


def features(network, batch):
    return torch.stack([network.encode_text(row) for row in batch.texts])


@pytest.mark.parametrize(("points", "always"), [(0, {0}), (1, {0, 1}), (2, {0, 1, 2}), (8, {0, 1, 8})])
def test_words_first_last_and_one_other_round_count(points, always):
    found = [set(drawn(torch.zeros(1, 1, dtype=torch.bool), seed, points=points).counted) for seed in range(60)]
    assert all(always <= counted and len(counted) == min(points + 1, 4) for counted in found)
    if points == 8:
        assert set().union(*found) == set(range(9))


def test_shares_of_what_prompts_begin_with_are_kept_and_the_absent_begin_with_words():
    absent = torch.zeros(100, 100, dtype=torch.bool)
    absent[:, :20] = True
    draws = drawn(absent, points_alone=0.2, box_alone=0.1, box_with_text=0.3, feedback=0.7)
    assert bool((draws.start[absent] == TEXT).all())
    for kind, share in ((POINT, 0.2), (BOX, 0.1), (TEXT_AND_BOX, 0.3), (TEXT, 0.4)):
        assert float((draws.start[~absent] == kind).float().mean()) == pytest.approx(share, abs=0.02)
    assert float(draws.feedback.float().mean()) == pytest.approx(0.7, abs=0.02)
    again = drawn(absent, points_alone=0.2, box_alone=0.1, box_with_text=0.3, feedback=0.7)
    assert torch.equal(draws.start, again.start) and torch.equal(draws.points, again.points)


class Watched:
    """A network that remembers what it was asked, with and without gradients."""

    def __init__(self, network):
        self.network, self.config, self.asked, self.graphs = network, network.config, [], []

    def encode_prompts(self, prompts):
        self.asked.append(prompts)
        self.graphs.append(torch.is_grad_enabled())
        return self.network.encode_prompts(prompts)

    def decode(self, embedding, tokens, *, cells=None):
        return self.network.decode(embedding, tokens, cells=cells)


def test_each_round_adds_a_point_where_the_last_answer_was_wrong():
    network, batch = Watched(new_network(TINY).train()), box_batch(shown=48)
    draws = drawn(batch.absent, points=5, points_alone=0.3, box_alone=0.2, box_with_text=0.2, feedback=0.5)
    text = features(network.network, batch)
    answers = list(answer_rounds(network, network.network.embed(batch.images), batch, text, draws))
    assert [answer.number for answer in answers] == list(range(6))
    assert network.graphs == [number in draws.counted for number in range(6)]
    first = int(bool((draws.start == POINT).any()))
    inside = inside_image(batch.shown, 64)[:, 0]
    for number, (asked, answer) in enumerate(zip(network.asked[1:], answers, strict=False), start=1):
        assert asked.points.shape[2] == number + first
        assert bool((asked.has_mask <= ~batch.absent).all())
        for at in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)):
            wrong = (answer.logits[at][int(answer.held[at])] > 0) != batch.masks[at]
            wrong &= inside[at[0]]
            x, y = asked.points[at][-1].long().tolist()
            label = int(asked.point_labels[at][-1])
            if bool(batch.absent[at]) or not bool(wrong.any()):
                assert label == ABSENT
            else:
                assert bool(wrong[y, x]) and label == int(batch.masks[at][y, x])


def test_text_counts_as_much_as_all_points_together_and_the_absent_have_text_alone():
    network, batch = new_network(TINY).train(), box_batch()
    draws = drawn(batch.absent, points=3)
    loss, terms = prompt_round_loss(network, batch, features(network, batch), draws, WEIGHTS)
    part = {name: terms[f"{name}_mask"] + terms[f"{name}_quality"] for name in ("text", "first", "between", "last")}
    points = (part["first"] + part["between"] + part["last"]) / 3
    expected = (part["text"] + points) / 2 + WEIGHTS.code_weight * terms["codes"]
    torch.testing.assert_close(loss.detach(), expected)
    only = batch._replace(absent=torch.ones_like(batch.absent), masks=torch.zeros_like(batch.masks))
    _, terms = prompt_round_loss(network, only, features(network, only), drawn(only.absent, points=3), WEIGHTS)
    assert float(terms["first_mask"]) == float(terms["last_mask"]) == 0 and float(terms["text_mask"]) > 0


def test_a_step_on_all_cells_in_any_order_has_the_loss_of_the_whole():
    network, batch = new_network(TINY).eval(), box_batch(shown=48)
    text, grid = features(network, batch), network.config.grid
    whole = drawn(batch.absent, points=0)
    every = draw_rounds(batch.absent, PromptRoundSettings(cells=1.0, corrections=0.0), torch.Generator(), grid=grid)
    assert whole.cells is None and every.cells is None
    cells = torch.rand(len(batch.images), grid**2, generator=torch.Generator().manual_seed(1)).argsort(1)
    with torch.no_grad():
        loss, terms = prompt_round_loss(network, batch, text, whole, WEIGHTS)
        other, others = prompt_round_loss(network, batch, text, replace(whole, cells=cells), WEIGHTS)
    torch.testing.assert_close(other, loss, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(others["text_iou"], terms["text_iou"], rtol=1e-4, atol=1e-5)
    more = draw_rounds(batch.absent, PromptRoundSettings(points=1, cells=0.25), torch.Generator(), grid=grid)
    assert more.cells is None  # points are drawn from whole masks
    some = draw_rounds(batch.absent, PromptRoundSettings(points=0, cells=0.25), torch.Generator(), grid=grid)
    assert some.cells.shape == (len(batch.images), grid**2 // 4)


def test_what_lies_outside_the_cells_of_a_step_does_not_pass_for_absent():
    network = new_network(TINY).eval()
    batch = box_batch(absent=False)
    grid, edge = network.config.grid, batch.masks.shape[-1]
    masks = torch.zeros_like(batch.masks)
    masks[..., : edge // 2] = True  # the left half shows everything that is asked for
    batch = batch._replace(masks=masks)
    text, right = features(network, batch), torch.arange(grid**2).view(grid, grid)[:, grid // 2 :].flatten()

    def quality(batch):
        draws = replace(drawn(batch.absent, points=0), cells=right.expand(len(batch.images), -1))
        loss, terms = prompt_round_loss(network, batch, text, draws, WEIGHTS)
        (slope,) = torch.autograd.grad(loss, network.mask_decoder.iou_prediction_head.layers[-1].bias)
        return float(terms["text_quality"]), bool((slope != 0).any())

    assert quality(batch) == (0.0, False)
    error, learns = quality(batch._replace(absent=torch.ones_like(batch.absent)))
    assert error > 0 and learns


def test_padding_has_no_say():
    network = new_network(TINY).eval()
    batch = box_batch(shown=48, absent=False)
    text = features(network, batch)
    draws = drawn(batch.absent, points=0)

    def loss(**changed):
        with torch.no_grad():
            return float(prompt_round_loss(network, batch._replace(**changed), text, draws, WEIGHTS)[0])

    assert loss(images=batch.images) != loss(shown=torch.full((2, 2), 64))
    logits = network.decode(network.embed(batch.images), PromptBatch(text=text)).logits
    assert bool((logits[..., 48:, :] > -19).any())  # what the network says there
    network.mask_decoder = _Louder(network.mask_decoder, 48)
    with torch.no_grad():
        plain, _ = prompt_round_loss(new_network(TINY).eval(), batch, text, draws, WEIGHTS)
    assert loss() == float(plain)


class _Louder(torch.nn.Module):
    """A decoder that answers yes in the padding."""

    def __init__(self, decoder, rows):
        super().__init__()
        self.decoder, self.rows = decoder, rows

    def forward(self, *arguments, **options):
        answer = self.decoder(*arguments, **options)
        logits = answer.logits.clone()
        logits[..., self.rows :, :] = 30.0
        return MaskLogits(logits, answer.quality)


def test_low_precision_gives_every_parameter_the_gradient_that_full_precision_does():
    batch, found = box_batch(absent=False), []
    draws = drawn(batch.absent, points=4, box_with_text=0.3, points_alone=0.0)
    for low in (False, True):
        network = new_network(TINY).train()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            loss, _ = prompt_round_loss(network, batch, features(network, batch), draws, WEIGHTS)
        loss.backward()
        found.append({name: p.grad for name, p in network.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    flat = [torch.cat([g.flatten().float() for g in each.values()]) for each in found]
    assert float(torch.cosine_similarity(*flat, dim=0)) > 0.9


@pytest.mark.slow
def test_a_network_learns_one_batch_by_heart():
    network = new_network(replace(TINY, quantiser=QuantiserConfig("cosine", 16))).train()
    batch = box_batch(prompts=2)
    with torch.no_grad():
        network.prompt_encoder.vq.start_from(network.prompt_encoder.clip_mlp(network.encode_text(batch.texts[0])))
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    draws, ious = drawn(batch.absent, points=0, points_alone=0.0, box_alone=0.0, box_with_text=0.0), []
    for _ in range(100):
        loss, terms = prompt_round_loss(network, batch, features(network, batch), draws, WEIGHTS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ious.append(float(terms["text_iou"]))
    assert max(ious[:5]) < 0.2 and min(ious[-5:]) > 0.5


def test_what_is_there_and_what_is_not_each_count_half():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
    absent = torch.tensor([[False, True, False], [False, False, False]])
    log = torch.nn.functional.logsigmoid
    expected = (-log(torch.tensor(1.0)) - log(torch.tensor([2.0, 0.5, 0.0, 3.0, -2.0])).mean()) / 2
    torch.testing.assert_close(presence_loss(logits, absent), expected)
    torch.testing.assert_close(presence_loss(logits[:1, 1:2], absent[:1, 1:2]), -log(torch.tensor(1.0)) / 2)


def test_presence_counts_with_its_weight_and_alone_it_is_all():
    network, batch = presence_network(new_network(TINY).train()), box_batch()
    text, draws = features(network, batch), drawn(batch.absent)
    told = presence_loss(network.presence(network.embed(batch.images), text), batch.absent)
    totals = {}
    for weight, alone in ((0.0, False), (0.5, False), (0.5, True)):
        weights = replace(WEIGHTS, presence_weight=weight, presence_alone=alone)
        totals[weight, alone], terms = prompt_round_loss(network, batch, text, draws, weights)
        assert ("presence" in terms) == (weight > 0) and ("text_mask" in terms) != alone
    torch.testing.assert_close(totals[0.5, False] - totals[0.0, False], 0.5 * told, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(totals[0.5, True], 0.5 * told)
