"""The prompt rounds of all prompts together are those of a plain writing, mask by mask."""

import pytest
import torch
from support.fluorosam_training import TINY, box_batch
from xraykit.fluorosam.network import new_network
from xraykit.fluorosam.train import (
    PromptRoundSettings,
    SegmentationObjectiveSettings,
    draw_rounds,
    prompt_round_loss,
)

from benchmarks.common.fluorosam_plain import plain_round_loss


@pytest.mark.parametrize("seed", [0, 1])
def test_losses_and_gradients_are_those_of_a_loop_over_masks(seed):
    batch, weights = box_batch(images=3, seed=seed), SegmentationObjectiveSettings()
    settings = PromptRoundSettings(
        points=4, points_alone=0.3, box_alone=0.2, box_with_text=0.2, feedback=0.5, corrections=0.0
    )
    draws = draw_rounds(batch.absent, settings, torch.Generator().manual_seed(seed))
    found = []
    for plain in (False, True):
        network = new_network(TINY, seed=seed).double().train()
        doubled = batch._replace(images=batch.images.double())
        if plain:
            loss = plain_round_loss(network, doubled, draws, weights)
        else:
            text = torch.stack([network.encode_text(row) for row in batch.texts])
            loss, _ = prompt_round_loss(network, doubled, text, draws, weights)
        loss.backward()
        found.append((loss.detach(), {name: p.grad for name, p in network.named_parameters() if p.grad is not None}))
    (ours, mine), (plain, theirs) = found
    torch.testing.assert_close(ours.float(), plain.float(), rtol=1e-6, atol=1e-7)
    for name, gradient in theirs.items():
        torch.testing.assert_close(mine[name], gradient, rtol=1e-4, atol=1e-7, msg=name)
