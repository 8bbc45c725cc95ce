"""The codebook: nearest codes, straight-through gradients, losses, a start from features, dead codes."""

import pytest
import torch
from xraykit.fluorosam.network import NAMED, Quantiser, QuantiserConfig
from xraykit.render import InputError


def quantiser(kind="euclidean", codes=12, **more):
    torch.manual_seed(0)
    made = Quantiser(5, codes, kind=kind, **more)
    with torch.no_grad():
        made._codebook.embed.normal_()
    return made


FEATURES = torch.randn(40, 5, generator=torch.Generator().manual_seed(1))


def test_features_become_the_nearest_row_of_the_codebook():
    made = quantiser().eval()
    found = made(FEATURES)
    assert torch.equal(found.codes, torch.cdist(FEATURES, made.codebook).argmin(1))
    assert torch.equal(found.values, made.codebook[found.codes])


def test_by_angle_the_nearest_direction_counts():
    made = quantiser("cosine").eval()
    found = made(3.0 * FEATURES)
    cosines = torch.cosine_similarity(FEATURES[:, None], made._codebook.embed[0][None], dim=-1)
    assert torch.equal(found.codes, cosines.argmax(1))
    torch.testing.assert_close(found.values.norm(dim=1), torch.full((40,), 5.0**0.5))


def test_the_gradient_goes_straight_through():
    x = FEATURES.clone().requires_grad_()
    weights = torch.randn(40, 5, generator=torch.Generator().manual_seed(2))
    (quantiser()(x).values * weights).sum().backward()
    torch.testing.assert_close(x.grad, weights)


def test_each_loss_draws_one_side_only():
    x, made = FEATURES.clone().requires_grad_(), quantiser(commitment=0.25)
    found = made(x)
    found.loss.backward()
    difference = (x - made.codebook[found.codes]).detach()
    torch.testing.assert_close(found.loss.detach(), 1.25 * difference.square().mean())
    torch.testing.assert_close(x.grad, 0.25 * 2 * difference / x.numel())
    expected = torch.zeros(12, 5).index_add(0, found.codes, -2 * difference / x.numel())
    torch.testing.assert_close(made._codebook.embed.grad[0], expected)


def test_perplexity_is_the_number_of_codes_in_even_use():
    made = quantiser(codes=4).eval()
    assert float(made(made.codebook[[0, 1, 2, 0, 1, 2]].detach()).perplexity) == pytest.approx(3.0)
    assert float(made(made.codebook[[1, 1]].detach()).perplexity) == pytest.approx(1.0)


def test_codes_start_as_the_means_of_the_features_that_are_nearest_to_them():
    made = quantiser(codes=5)
    made.start_from(FEATURES, seed=4, iterations=50)
    codes = made.eval()(FEATURES).codes
    assert len(codes.unique()) == 5
    for code in range(5):
        torch.testing.assert_close(made.codebook[code], FEATURES[codes == code].mean(0))
    assert made._codebook.initted.tolist() == [1.0]


def test_more_codes_than_features_part_and_stay_the_same_for_a_seed():
    one, two = quantiser(codes=12), quantiser(codes=12)
    one.start_from(FEATURES[:4], seed=1)
    two.start_from(FEATURES[:4], seed=1)
    assert torch.equal(one.codebook, two.codebook)
    assert len(one.codebook.unique(dim=0)) == 12


def test_codes_that_nothing_uses_are_renewed_from_features():
    made = quantiser(decay=0.5)
    made._codebook.embed.data[0, 7] = 1e3
    for _ in range(20):
        made(FEATURES)
    before, dead = made.codebook.clone(), made.usage < 0.01
    assert bool(dead[7]) and made.renew_dead_codes(FEATURES, below=0.01) == int(dead.sum())
    assert all((FEATURES == code).all(1).any() for code in made.codebook[dead])
    assert made.usage[dead].tolist() == [1.0] * int(dead.sum())
    assert torch.equal(made.codebook[~dead], before[~dead])


def test_uses_are_counted_in_training_alone():
    made = quantiser().eval()
    made(FEATURES)
    assert made.usage.tolist() == [1.0] * 12
    made.train()
    counts = torch.bincount(made(FEATURES).codes, minlength=12)
    torch.testing.assert_close(made.usage, 0.99 + 0.01 * counts)


def test_no_features_give_no_loss():
    found = quantiser()(torch.zeros(0, 5))
    assert float(found.loss) == 0 and found.values.shape == (0, 5)


def test_half_precision_chooses_the_same_codes():
    made = quantiser()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = made(FEATURES)
    assert torch.equal(found.codes, torch.cdist(FEATURES, made.codebook).argmin(1))


def test_a_network_may_have_none():
    from dataclasses import replace

    from xraykit.fluorosam.network import PromptBatch, new_network

    network = new_network(replace(NAMED["mini"], quantiser=QuantiserConfig("off")))
    text = network.encode_text(["skull"])[None]
    tokens = network.encode_prompts(PromptBatch(text=text))
    assert tokens.quantised is None
    torch.testing.assert_close(tokens.tokens[0, 0, 0], network.prompt_encoder.clip_mlp(text[0, 0]))


def test_off_is_no_quantiser():
    with pytest.raises(InputError, match="must be euclidean or cosine, got 'off'"):
        Quantiser(5, 4, kind="off")


def test_a_start_needs_features():
    with pytest.raises(InputError, match="start from features, got none"):
        quantiser().start_from(torch.zeros(0, 5))
