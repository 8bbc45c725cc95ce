"""The sparse encoder: what it keeps, what it leaves alone, and that keeping all is a dense encoder."""

import pytest
import torch
from xraykit.dax.probes.screws import DetectorSettings
from xraykit.dax.probes.screws.encoder import SparseEncoder, TokenScores, chosen_tokens, kept_tokens
from xraykit.dax.probes.screws.pyramid import token_centres

SIZES = [(6, 5), (3, 3)]
TOKENS = 39


def encoder(keep):
    torch.manual_seed(0)
    made = SparseEncoder(DetectorSettings(width=16, heads=2, points=2, strides=(8, 16), feedforward=32, keep=keep))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made.double()


def scene():
    rng = torch.Generator().manual_seed(1)
    tokens = torch.randn(2, TOKENS, 16, generator=rng, dtype=torch.float64)
    positions = torch.randn(TOKENS, 16, generator=rng, dtype=torch.float64)
    return tokens, positions, token_centres(SIZES, torch.device("cpu")).double()


def test_keeping_all_is_the_dense_encoder():
    made, (tokens, positions, centres) = encoder(1.0), scene()
    memory, _ = made(tokens, positions, centres, SIZES)
    dense = tokens
    for layer in made.layers:
        dense = layer(dense, positions.expand_as(dense), centres[None, :, None].expand(2, -1, 1, 2), dense, SIZES)
    torch.testing.assert_close(memory, dense)


@pytest.mark.parametrize("keep", [0.1, 0.5])
def test_only_the_tokens_of_highest_score_change(keep):
    made, (tokens, positions, centres) = encoder(keep), scene()
    memory, scores = made(tokens, positions, centres, SIZES)
    changed = (memory != tokens).any(-1)
    assert changed.sum(1).tolist() == [int(keep * TOKENS) + 1] * 2
    for row, values in zip(changed, scores, strict=True):
        assert values[row].min() > values[~row].max()


def test_how_many_are_kept():
    assert [kept_tokens(100, keep) for keep in (0.001, 0.1, 0.305, 0.999, 1.0)] == [1, 11, 31, 100, 100]


def test_what_should_be_kept_is_what_was_attended_to_most():
    attended = torch.tensor([[0.1, 0.9, 0.0, 0.4], [3.0, 1.0, 2.0, 0.0]])
    assert chosen_tokens(attended, 0.3).tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]


def test_a_score_depends_on_the_other_tokens_through_their_mean_alone():
    torch.manual_seed(0)
    scores = TokenScores(16)
    tokens = torch.randn(1, 10, 16)
    order = torch.randperm(10)
    torch.testing.assert_close(scores(tokens[:, order]), scores(tokens)[:, order])
    other = tokens.clone()
    other[:, 5:] = torch.randn(1, 5, 16)
    assert not torch.allclose(scores(other)[:, :5], scores(tokens)[:, :5])


def test_scores_get_no_gradient_from_what_is_made_of_the_tokens():
    made, (tokens, positions, centres) = encoder(0.3), scene()
    made(tokens, positions, centres, SIZES)[0].sum().backward()
    assert all(parameter.grad is None for parameter in made.scores.parameters())
