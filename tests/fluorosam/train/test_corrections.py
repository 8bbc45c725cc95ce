"""Corrections that nobody made: masks that resemble the truth, points where they are wrong, and what is asked then."""

import torch
from support.fluorosam_training import TINY, box_batch
from xraykit.fluorosam.network import ABSENT, NEGATIVE, POSITIVE, PromptBatch, new_network
from xraykit.fluorosam.network.prompts import mask_prompts
from xraykit.fluorosam.train import (
    PromptRoundSettings,
    SegmentationObjectiveSettings,
    answer_rounds,
    answered_words,
    draw_corrections,
    draw_rounds,
    made_up_corrections,
    made_up_logits,
    prompt_round_loss,
)
from xraykit.fluorosam.train.prompt_rounds import CORRECTION


def disc(edge=64, radius=16.0, x=30.0, y=34.0):
    rows, columns = torch.meshgrid(torch.arange(edge), torch.arange(edge), indexing="ij")
    return (columns - x) ** 2 + (rows - y) ** 2 < radius**2


def overlap(one, other):
    return float((one & other).sum() / (one | other).sum())


def test_without_error_a_made_up_mask_is_the_truth_with_soft_borders():
    logits = made_up_logits(disc(), torch.zeros(6, 6))
    assert overlap(logits > 0, disc()) > 0.85
    assert 5.9 < float(logits.max()) <= 6.0 and -6.0 <= float(logits.min()) < -5.9


def test_made_up_masks_are_wrong_in_parts_and_right_in_most():
    fields = torch.randn(40, 6, 6, generator=torch.Generator().manual_seed(0))
    found = [overlap(mask, disc()) for mask in made_up_logits(disc().expand(40, 64, 64), fields) > 0]
    assert 0.4 < sorted(found)[20] < 0.9 and max(found) < 0.98


def test_some_made_up_masks_are_nearly_right_and_some_badly_wrong():
    which = torch.ones(8, 25, dtype=torch.bool)
    draws = draw_corrections(which, torch.Generator().manual_seed(0))
    deviations = draws.fields.std((-2, -1))
    assert float(deviations.min()) < 0.25 and float(deviations.max()) > 0.8
    found = [
        overlap(mask, disc())
        for mask in made_up_logits(disc().expand(200, 64, 64), draws.fields[:, :, 0].flatten(0, 1)) > 0
    ]
    assert sum(one > 0.8 for one in found) > 20 and sum(one < 0.7 for one in found) > 100


def corrected(shown=64):
    batch = box_batch(shown=shown)
    which = ~batch.absent
    which[:, 1] = False
    draws = draw_corrections(which, torch.Generator().manual_seed(3))
    inside = torch.ones_like(batch.masks[:, :1])
    return batch, which, draws, made_up_corrections(batch.masks, inside, draws, size=TINY.image_size)


def test_points_lie_where_a_mask_is_wrong_with_the_label_of_the_truth():
    batch, which, draws, (points, labels, _) = corrected()
    scale = TINY.image_size / batch.masks.shape[-1]
    counts = (labels != ABSENT).sum(2)
    assert bool((counts[~which] == 0).all()) and bool((counts[which] <= draws.count[which]).all())
    assert int(counts[which].sum()) > 0
    wrong = [(made_up_logits(batch.masks, draws.fields[:, :, n]) > 0) != batch.masks for n in (0, 1)]
    for b, p, n in (labels != ABSENT).nonzero().tolist():
        column, row = (points[b, p, n] / scale).long().tolist()
        assert bool(wrong[n % 2][b, p, row, column])
        assert int(labels[b, p, n]) == (POSITIVE if bool(batch.masks[b, p, row, column]) else NEGATIVE)


def test_a_prompt_that_begins_as_a_correction_has_its_points_and_mask_and_half_have_words():
    batch = box_batch(shown=64)
    settings = PromptRoundSettings(points=0, points_alone=0, box_alone=0, box_with_text=0, corrections=1.0)
    network, asked = new_network(TINY).train(), []
    encode = network.encode_prompts
    network.encode_prompts = lambda prompts: asked.append(prompts) or encode(prompts)
    draws = draw_rounds(batch.absent, settings, torch.Generator().manual_seed(1))
    text = torch.stack([network.encode_text(row) for row in batch.texts])
    list(answer_rounds(network, network.embed(batch.images), batch, text, draws))
    corrections = draws.start == CORRECTION
    assert torch.equal(corrections, ~batch.absent)
    (prompts,) = asked
    assert torch.equal(prompts.has_text, ~corrections | draws.corrections.worded)
    assert torch.equal(prompts.has_mask, corrections & draws.corrections.shown)
    assert prompts.points.shape[2] == 8 and bool((prompts.point_labels[batch.absent] == ABSENT).all())


def asked_words(network, batch):
    text = torch.stack([network.encode_text(row) for row in batch.texts])
    return network.embed(batch.images), text


def test_words_are_answered_for_the_prompts_that_are_asked_for_alone():
    batch, network = box_batch(shown=64), new_network(TINY).eval()
    embedding, text = asked_words(network, batch)
    which = ~batch.absent
    which[0, 0] = False
    found = answered_words(network, embedding, text, which)
    answer = network.decode(embedding, PromptBatch(text=text))
    best = answer.quality.argmax(-1)
    for b, p in which.nonzero().tolist():
        torch.testing.assert_close(found[b, p], answer.logits[b, p, best[b, p]])
    assert int(which.sum()) > 2 and not bool(found[~which].any()) and not found.requires_grad
    assert not bool(answered_words(network, embedding, text, which & False).any())


def test_corrections_with_words_point_where_the_network_itself_is_wrong():
    batch, network = box_batch(shown=64), new_network(TINY).eval()
    embedding, text = asked_words(network, batch)
    settings = PromptRoundSettings(
        points=0, points_alone=0, box_alone=0, box_with_text=0, corrections=1.0, feedback=1.0
    )
    draws = draw_rounds(batch.absent, settings, torch.Generator().manual_seed(1))
    worded = draws.corrections.which & draws.corrections.worded
    own = answered_words(network, embedding, text, worded)
    made = made_up_corrections(batch.masks, None, draws.corrections, size=TINY.image_size, answered=own)
    asked, encode = [], network.encode_prompts
    network.encode_prompts = lambda prompts: asked.append(prompts) or encode(prompts)
    list(answer_rounds(network, embedding, batch, text, draws))
    prompts = asked[-1]
    for came, expected in zip((prompts.points, prompts.point_labels, prompts.masks), made, strict=True):
        torch.testing.assert_close(came, expected)
    torch.testing.assert_close(prompts.masks[worded], mask_prompts(own)[worded])
    scale = TINY.image_size / batch.masks.shape[-1]
    for b, p in worded.nonzero().tolist():
        if int(prompts.point_labels[b, p, 0]) != ABSENT:
            column, row = (prompts.points[b, p, 0] / scale).long().tolist()
            assert bool((own[b, p, row, column] > 0) != batch.masks[b, p, row, column])
    assert int((prompts.point_labels[..., 0][worded] != ABSENT).sum()) > 1


def test_a_network_learns_from_corrections_on_some_cells_and_goes_on_to_real_ones():
    batch = box_batch(shown=64)
    for settings in (
        PromptRoundSettings(points=0, corrections=0.6, cells=0.5, feedback=1.0),
        PromptRoundSettings(points=2, corrections=0.6, feedback=1.0),
    ):
        network = new_network(TINY).train()
        draws = draw_rounds(batch.absent, settings, torch.Generator().manual_seed(2), grid=TINY.grid)
        text = torch.stack([network.encode_text(row) for row in batch.texts])
        loss, _ = prompt_round_loss(network, batch, text, draws, SegmentationObjectiveSettings())
        loss.backward()
        used = network.prompt_encoder.mask_downscaling[0].weight.grad
        assert bool(torch.isfinite(loss)) and float(used.abs().sum()) > 0
