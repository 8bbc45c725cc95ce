"""The matcher: its first loss, its symmetries, its sizes, and that it can learn one pair by heart."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from xraykit.corr.network import NAMED, MatcherConfig, calibrate_head, matcher_cost, new_matcher
from xraykit.render import InputError

CONFIG = MatcherConfig("mini", stride=8, image_size=32, dimension=32, layers=2, heads=2, norm="group", views=3)
IMAGES = torch.rand(2, 3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
ROWS = {"none": 0, "superglue": 2, "loftr": 2, "standard_mp": 2, "standard": 2, "authors": 2}


def average_precision(score, truth):
    hits = truth[score.argsort(descending=True)]
    return float((hits.cumsum(0) / torch.arange(1, len(hits) + 1))[hits > 0].mean())


@pytest.mark.parametrize("module", ROWS)
def test_every_module_gives_all_pairs_of_views(module):
    output = new_matcher(replace(CONFIG, module=module, layers=ROWS[module]))(IMAGES)
    assert output.probability.shape == (2, 3, 16, 16) and output.tokens.shape == (2, 3, 16, 32)
    assert output.probability.dtype == torch.float32
    assert bool(((output.probability >= 0) & (output.probability <= 1)).all())
    torch.testing.assert_close(output.logits.sigmoid(), output.probability)


@pytest.mark.parametrize("module", ROWS)
def test_views_in_another_order_transpose_the_matches(module):
    net = new_matcher(replace(CONFIG, module=module, layers=ROWS[module])).eval()
    order = torch.tensor([[0, 1]]).expand(2, 2)
    one = net(IMAGES[:, :2], order=order).probability
    other = net(IMAGES[:, :2].flip(1), order=order.flip(1)).probability
    torch.testing.assert_close(other, one.mT, rtol=0, atol=1e-5)


def test_pairs_are_in_the_order_of_combinations():
    net = new_matcher(replace(CONFIG, module="none", layers=0)).eval()
    whole = net(IMAGES).probability
    for number, pair in enumerate([(0, 1), (0, 2), (1, 2)]):
        torch.testing.assert_close(whole[:, number], net(IMAGES[:, pair]).probability[:, 0])


def test_an_absent_view_matches_nothing_and_changes_nothing():
    net, present = new_matcher(CONFIG).eval(), torch.tensor([[True, True, False], [True, True, True]])
    images = IMAGES.clone()
    images[0, 2] = torch.nan
    output = net(images, present=present)
    assert output.probability[0, 1:].max() == 0 and output.logits[0, 1:].max() == -1e4 and output.overlap is None
    torch.testing.assert_close(output.probability[0, 0], net(IMAGES[:1, :2]).probability[0, 0])
    torch.testing.assert_close(output.probability[1], net(IMAGES[1:]).probability[0])


def test_the_overlap_head_knows_no_order_of_views_and_changes_no_other_weight():
    net, bare = (new_matcher(replace(CONFIG, overlap_head=has), seed=3).eval() for has in (True, False))
    order = torch.tensor([[0, 1]]).expand(2, 2)
    one, other = net(IMAGES[:, :2], order=order), net(IMAGES[:, :2].flip(1), order=order.flip(1))
    assert one.overlap.shape == (2, 1) and one.overlap.dtype == torch.float32
    torch.testing.assert_close(one.overlap, other.overlap, rtol=0, atol=1e-5)
    others = {name for name in bare.state_dict() if name != "head.bias"}  # which is calibrated on random images
    assert all(torch.equal(net.state_dict()[name], bare.state_dict()[name]) for name in others)
    present = torch.tensor([[True, True, False], [True, True, True]])
    hidden = net(IMAGES, present=present).overlap
    assert hidden.shape == (2, 3) and bool((hidden[0, 1:] == -1e4).all()) and bool((hidden[1] > -100).all())


def test_another_size_gives_another_grid_and_nearly_the_same_matches():
    net = new_matcher(replace(CONFIG, dimension=64)).eval()
    smooth = torch.nn.functional.interpolate(IMAGES[:, 0, :, ::8, ::8], (32, 32), mode="bicubic")
    images = torch.stack([smooth, smooth.flip(-1)], 1)
    larger = torch.nn.functional.interpolate(images.flatten(0, 1), (96, 96), mode="bicubic").view(2, 2, 1, 96, 96)
    assert net(larger).probability.shape == (2, 1, 144, 144)
    # the module alone: tokens of a place are the same whatever the grid
    tokens = torch.randn(1, 2, 16, 64, generator=torch.Generator().manual_seed(1))
    fine = tokens.view(1, 2, 4, 4, 64).repeat_interleave(3, 2).repeat_interleave(3, 3).flatten(2, 3)
    centre = torch.tensor([(3 * i + 1) * 12 + 3 * j + 1 for i in range(4) for j in range(4)])
    coarse, kept = net.module(tokens, 4), net.module(fine, 12)[:, :, centre]
    cosine = torch.nn.functional.cosine_similarity(coarse, kept, dim=-1)
    assert float(cosine.detach().min()) > 0.98


def test_gradients_are_finite_in_half_precision_and_the_head_is_in_single():
    net = new_matcher(CONFIG)
    with torch.autocast("cpu", torch.bfloat16):
        output = net(IMAGES)
    assert output.probability.dtype == output.logits.dtype == torch.float32
    output.probability.square().mean().backward()
    gradients = [p.grad for p in net.parameters() if p.requires_grad]
    assert all(g is not None and bool(torch.isfinite(g).all()) for g in gradients)


def test_the_squared_cosine_is_one_for_parallel_and_antiparallel_tokens_and_has_no_logits():
    net = new_matcher(replace(CONFIG, module="none", layers=0, head="squared_cosine"))
    output = net(IMAGES[:, :1].expand(-1, 2, -1, -1, -1))
    assert output.logits is None and sum(p.numel() for p in net.head.parameters()) == 0
    torch.testing.assert_close(output.probability[:, 0].diagonal(dim1=1, dim2=2), torch.ones(2, 16))
    tokens = output.tokens[:, 0]
    torch.testing.assert_close(net.head(tokens, -3 * tokens)[0], net.head(tokens, tokens)[0])


@pytest.mark.parametrize("module", ROWS)
def test_the_first_squared_error_is_that_of_predicting_the_density(module):
    net = new_matcher(replace(CONFIG, module=module, layers=ROWS[module], density=0.03))
    images = torch.nn.functional.interpolate(IMAGES[:, :, 0, ::8, ::8], (32, 32), mode="bilinear")[:, :, None]
    truth = (torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) < 0.03).float()
    variance = truth.mean() * (1 - truth.mean())
    torch.testing.assert_close((net(images).probability - truth).square().mean(), variance, rtol=0.25, atol=0)


def test_a_calibrated_head_predicts_the_density_of_these_images_and_keeps_batch_statistics():
    net = new_matcher(MatcherConfig("resnet18", image_size=64, dimension=32, module="superglue", layers=2))
    before = {name: value.clone() for name, value in net.state_dict().items() if name != "head.bias"}
    images = torch.rand(2, 2, 1, 64, 64, generator=torch.Generator().manual_seed(2))
    calibrate_head(net, images, density=0.2)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())
    torch.testing.assert_close(net(images).probability.mean(), torch.tensor(0.2), rtol=1e-3, atol=0)
    with pytest.raises(InputError, match="density must lie between 0 and 1, got density=0"):
        calibrate_head(net, images, density=0)
    squared = new_matcher(replace(CONFIG, head="squared_cosine"))
    assert calibrate_head(squared, images) is squared


@pytest.mark.parametrize("module", ["none", "standard", "loftr"])
def test_one_pair_is_learned_by_heart(module):
    layers = 0 if module == "none" else 2
    config = MatcherConfig(
        "mini", stride=8, image_size=64, dimension=64, module=module, layers=layers, heads=2, norm="group"
    )
    g = torch.Generator().manual_seed(5)
    images, rows = torch.rand(1, 2, 1, 64, 64, generator=g), torch.arange(64) // 8
    # patches of a row match those of the same row where both are inside something
    inside = torch.rand(2, 64, generator=g) < 0.6
    truth = ((rows[:, None] == rows) & inside[0][:, None] & inside[1])[None, None].float()
    net = calibrate_head(new_matcher(config), images, density=float(truth.mean()))
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    reached = 0.0
    for step in range(120):
        probability = net(images).probability
        if step % 10 == 9:
            reached = average_precision(probability.detach().flatten(), truth.flatten())
            if reached > 0.99:
                break
        optimizer.zero_grad()
        (probability - truth).square().mean().backward()
        optimizer.step()
    assert reached > 0.99


@pytest.mark.parametrize(
    ("images", "options", "match"),
    [
        (IMAGES[:, :1], {}, "at least 2 views must be given, got 1"),
        (
            IMAGES[..., :28, :28],
            {},
            "must be a multiple of the 8 pixels of a patch, got 28 x 28 pixels; resize them to",
        ),
        (IMAGES[..., :24], {}, r"images must be floating point \(B, V, 1, S, S\)"),
        (IMAGES.int(), {}, "images must be floating point"),
        (IMAGES.repeat(1, 2, 1, 1, 1), {}, "the network tells 3 views apart, got 6"),
        (IMAGES, {"order": torch.full((2, 3), 3)}, "order must hold view numbers from 0 to 2"),
        (IMAGES, {"order": torch.zeros(2, 2, dtype=torch.int64)}, "order must be torch.int64"),
        (IMAGES, {"present": torch.zeros(2, 3, dtype=torch.bool)}, "got a sample without any"),
        (IMAGES, {"present": torch.ones(2, 3)}, "present must be torch.bool"),
    ],
)
def test_images_that_do_not_fit_are_refused(images, options, match):
    with pytest.raises(InputError, match=match):
        new_matcher(CONFIG)(images, **options)


def test_more_tokens_than_fit_are_refused_before_anything_is_computed():
    net = new_matcher(CONFIG)
    net.attention_bytes = 2 * 2 * 4 * 32**2
    with pytest.raises(InputError, match=r"got 48 tokens .* 32 tokens fit"):
        net(IMAGES)


def test_the_cost_of_the_paper_s_networks_is_that_of_the_paper():
    paper, authors = matcher_cost(NAMED["paper"]), matcher_cost(NAMED["paper-authors"])
    assert paper.layer_weights == 12 * 384**2 + 13 * 384 and 19.6e6 < paper.weights < 19.8e6
    assert round(authors.weights / 1e6) == 24


def test_operations_are_those_counted_while_computing():
    cost, net = matcher_cost(CONFIG, views=3), new_matcher(CONFIG).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(IMAGES[:1])
    assert cost.flops == counter.get_total_flops()
    layer, attention = 2 * 48 * 12 * 32**2, 2 * 2 * 48**2 * 32
    assert matcher_cost(replace(CONFIG, layers=3), views=3).flops - cost.flops == layer + attention


def test_the_mini_matcher_is_small():
    assert matcher_cost(NAMED["mini"]).weights < 3_000_000


def test_making_a_matcher_leaves_the_caller_s_random_state():
    state = torch.get_rng_state()
    one, two, other = new_matcher(CONFIG, seed=1), new_matcher(CONFIG, seed=1), new_matcher(CONFIG, seed=2)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(one.patches.projection.weight, two.patches.projection.weight)
    assert not torch.equal(one.patches.projection.weight, other.patches.projection.weight)
