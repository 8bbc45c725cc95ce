"""Deformable attention: against a loop that reads one value after another, in closed form, and its derivatives."""

import itertools
import math

import pytest
import torch
from xraykit.dax.probes.screws.attention import (
    DeformableAttention,
    SampledPlaces,
    attention_map,
    ring_offsets,
    sampled,
)

SIZES = [(5, 4), (3, 2)]
TOKENS = 26


def scene(seed, *, heads=2, points=3, queries=4, channels=3, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    value = torch.randn(2, TOKENS, heads, channels, generator=rng, dtype=dtype)
    locations = torch.rand(2, queries, heads, len(SIZES), points, 2, generator=rng, dtype=dtype) * 1.4 - 0.2
    weights = torch.rand(2, queries, heads, len(SIZES), points, generator=rng, dtype=dtype)
    return value, SampledPlaces(locations, weights)


def one_bilinear(cells, u, v):
    """The value of cells (H, W, d) at (u, v) [cells], 0 outside."""
    height, width = cells.shape[:2]
    total = torch.zeros_like(cells[0, 0])
    u, v = u - 0.5, v - 0.5
    for i, j in itertools.product((math.floor(v), math.floor(v) + 1), (math.floor(u), math.floor(u) + 1)):
        if 0 <= i < height and 0 <= j < width:
            total = total + cells[i, j] * (1 - abs(u - j)) * (1 - abs(v - i))
    return total


def test_samples_are_those_of_a_plain_loop():
    value, places = scene(0)
    found = sampled(value, places, SIZES)
    for b, q, m in itertools.product(range(2), range(4), range(2)):
        expected, start = torch.zeros(3, dtype=torch.float64), 0
        for n, (height, width) in enumerate(SIZES):
            cells = value[b, start : start + height * width, m].view(height, width, 3)
            for p in range(3):
                u, v = (places.locations[b, q, m, n, p] * torch.tensor([width, height])).tolist()
                expected = expected + places.weights[b, q, m, n, p] * one_bilinear(cells, u, v)
            start += height * width
        torch.testing.assert_close(found[b, q, m], expected, atol=1e-12, rtol=0)


def test_a_place_at_the_centre_of_a_cell_reads_that_cell():
    value, _ = scene(1, heads=1)
    locations = torch.tensor([2.5 / 4, 1.5 / 5, 0.5 / 2, 2.5 / 3], dtype=torch.float64).view(1, 1, 1, 2, 1, 2)
    weights = torch.tensor([1.0, 10.0], dtype=torch.float64).view(1, 1, 1, 2, 1)
    found = sampled(value[:1], SampledPlaces(locations, weights), SIZES)
    torch.testing.assert_close(found[0, 0, 0], value[0, 1 * 4 + 2, 0] + 10 * value[0, 20 + 2 * 2, 0])


def test_derivatives_are_those_of_finite_differences():
    rng = torch.Generator().manual_seed(2)
    layer = DeformableAttention(4, heads=2, levels=2, points=2).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=rng)
    queries, memory = (
        torch.randn(1, n, 4, generator=rng, dtype=torch.float64, requires_grad=True) for n in (3, TOKENS)
    )
    references = torch.rand(1, 3, 1, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda q, r, m: layer(q, r, m, SIZES)[0], (queries, references, memory))


def test_the_map_of_attention_is_the_derivative_of_what_is_sampled():
    """A token counts as much as the samples of all queries and heads change with its value."""
    value, places = scene(3, channels=1)
    value.requires_grad_()
    sampled(value, places, SIZES).sum().backward()
    torch.testing.assert_close(attention_map(places, SIZES), value.grad.sum(dim=(2, 3)))


def test_the_map_of_attention_inside_the_image_keeps_every_weight():
    _, places = scene(4)
    inside = SampledPlaces(0.3 + 0.4 * places.locations.clamp(0, 1), places.weights)
    torch.testing.assert_close(attention_map(inside, SIZES).sum(1), places.weights.sum(dim=(1, 2, 3, 4)))


def test_at_first_heads_look_in_all_directions_and_every_place_counts_the_same():
    offsets = ring_offsets(4, 1, 2)[:, 0]
    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    torch.testing.assert_close(offsets[:, 0], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(offsets[:, 1], 2 * expected, atol=1e-6, rtol=0)
    assert ring_offsets(8, 1, 3).abs().amax(-1)[:, 0].tolist() == [pytest.approx([1.0, 2.0, 3.0])] * 8
    layer = DeformableAttention(8, heads=4, levels=2, points=2)
    _, places = layer(torch.randn(1, 3, 8), torch.full((1, 3, 1, 2), 0.5), torch.randn(1, TOKENS, 8), SIZES)
    torch.testing.assert_close(places.weights, torch.full_like(places.weights, 0.25))
    cells = (places.locations[0, 0, :, 0] - 0.5) * torch.tensor([4.0, 5.0])
    torch.testing.assert_close(cells, ring_offsets(4, 1, 2)[:, 0], atol=1e-5, rtol=0)


def test_references_of_each_head_are_where_it_looks_from():
    layer = DeformableAttention(8, heads=4, levels=2, points=2)
    references = torch.rand(1, 3, 4, 2)
    _, places = layer(torch.randn(1, 3, 8), references, torch.randn(1, TOKENS, 8), SIZES)
    _, shared = layer(torch.randn(1, 3, 8), references[:, :, 2:3], torch.randn(1, TOKENS, 8), SIZES)
    torch.testing.assert_close(places.locations[:, :, 2], shared.locations[:, :, 2])
