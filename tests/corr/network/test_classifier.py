"""Classifiers of studies: fusion, guidance by correspondences, a start from a matcher, and pictures of attention."""

from dataclasses import replace

import pytest
import torch
from xraykit.corr.network import (
    MatcherConfig,
    StudyClassifierConfig,
    guidance,
    new_classifier,
    new_matcher,
    parameter_groups,
)
from xraykit.render import InputError

MATCHER = MatcherConfig("mini", stride=8, image_size=32, dimension=32, layers=2, heads=2, norm="group", views=3)
G = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 3, 1, 32, 32, generator=G)
MATCHES = torch.rand(2, 3, 16, 16, generator=G)
PAIR, PAIR_MATCHES = IMAGES[:, :2], MATCHES[:, :1]


def classifier(fusion="early", guided=False, **options):
    return new_classifier(StudyClassifierConfig(MATCHER, fusion, guided, **options)).eval()


def test_blocks_of_the_guidance_are_the_matches_and_their_transposes():
    blocks = guidance(MATCHES, 3).view(2, 3, 16, 3, 16)
    assert torch.equal(blocks[:, 0, :, 2], MATCHES[:, 1]) and torch.equal(blocks[:, 2, :, 1], MATCHES[:, 2].mT)
    assert all(bool((blocks[:, a, :, a] == 0).all()) for a in range(3))
    assert torch.equal(blocks.flatten(3).flatten(1, 2), guidance(MATCHES, 3).mT)


def test_a_centred_guidance_moves_nothing_between_views():
    blocks = guidance(MATCHES, 3, centred=True).view(2, 3, 16, 3, 16)
    torch.testing.assert_close(blocks.mean(-1), torch.zeros(2, 3, 16, 3), rtol=0, atol=1e-6)
    constant = guidance(torch.full_like(MATCHES, 0.7), 3, centred=True)
    torch.testing.assert_close(constant, torch.zeros_like(constant), rtol=0, atol=1e-6)


@pytest.mark.parametrize("gradients", [False, True])
def test_alpha_zero_is_no_guidance_whether_written_out_or_fused(gradients):
    guided, plain = classifier(guided=True), classifier()
    plain.load_state_dict({n: v for n, v in guided.state_dict().items() if n != "module.alpha"})
    torch.nn.init.zeros_(guided.module.alpha)
    with torch.set_grad_enabled(gradients):
        torch.testing.assert_close(guided(IMAGES, correspondences=MATCHES), plain(IMAGES), rtol=0, atol=1e-6)


def test_guidance_says_the_same_with_and_without_gradients():
    guided = classifier(guided=True)
    with torch.no_grad():
        fused = guided(IMAGES, correspondences=MATCHES)
    torch.testing.assert_close(guided(IMAGES, correspondences=MATCHES), fused, rtol=0, atol=1e-6)


def test_a_constant_correspondence_differs_from_none_unless_it_is_centred():
    tokens = torch.randn(1, 2, 16, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ones = torch.ones(1, 1, 16, 16, dtype=torch.float64)
    for centred in (False, True):
        encoder = classifier(guided=True, centred=centred).double().module
        moved = encoder(tokens, 4, correspondences=ones) - encoder(tokens, 4, correspondences=0 * ones)
        assert bool((moved.abs() > 1e-8).any()) != centred


@pytest.mark.parametrize("per_head", [False, True])
def test_the_gradient_of_alpha_is_that_of_finite_differences(per_head):
    guided = classifier(guided=True, per_head=per_head).double()
    images, matches = PAIR.double(), PAIR_MATCHES.double()
    alpha = guided.module.alpha
    assert alpha.shape == (2, 2 if per_head else 1) and bool((alpha == 1).all())
    guided(images, correspondences=matches).sum().backward()
    step = 1e-3
    with torch.no_grad():
        for at in [(0, 0), (1, alpha.shape[1] - 1)]:
            sides = []
            for sign in (1, -1):
                alpha[at] += sign * step
                sides.append(guided(images, correspondences=matches).sum())
                alpha[at] -= sign * step
            numeric = (sides[0] - sides[1]) / (2 * step)
            torch.testing.assert_close(alpha.grad[at], numeric, rtol=1e-2, atol=1e-9)


def test_views_swapped_with_their_matches_and_embeddings_change_nothing():
    guided, order = classifier(guided=True), torch.tensor([[0, 1]]).expand(2, 2)
    one = guided(PAIR, correspondences=PAIR_MATCHES, order=order)
    other = guided(PAIR.flip(1), correspondences=PAIR_MATCHES.mT, order=order.flip(1))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_late_is_the_mean_of_what_single_says_of_each_view():
    late, single = classifier("late"), classifier("single")
    single.load_state_dict(late.state_dict())
    each = torch.stack([single(IMAGES[:, view : view + 1]) for view in range(3)], 1)
    torch.testing.assert_close(late(IMAGES), each.mean(1))
    present = torch.tensor([[True, True, False], [False, True, True]])
    torch.testing.assert_close(late(IMAGES, present=present)[0], each[0, :2].mean())
    torch.testing.assert_close(late(IMAGES, present=present)[1], each[1, 1:].mean())


def test_early_fusion_leaves_absent_views_out():
    early, present = classifier(), torch.tensor([[True, True, False], [True, True, True]])
    logits = early(IMAGES, present=present)
    torch.testing.assert_close(logits[0], early(IMAGES[:1, :2])[0])
    torch.testing.assert_close(logits[1], early(IMAGES[1:])[0])


def test_a_start_from_a_matcher_sees_the_tokens_that_the_matcher_sees():
    matcher = new_matcher(MATCHER, seed=7).eval()
    for guided in (False, True):
        net = classifier(guided=guided).start_from(matcher)
        if guided:
            assert bool((net.module.alpha == 1).all())
        tokens = net.module(net.patches(IMAGES.flatten(0, 1)).unflatten(0, (2, 3)), 4)
        torch.testing.assert_close(tokens, matcher(IMAGES).tokens)


def test_a_start_from_another_matcher_is_refused():
    with pytest.raises(InputError, match="a matcher must have dimension=32 as the classifier has, got 64"):
        classifier().start_from(new_matcher(replace(MATCHER, dimension=64)))


def test_alphas_have_a_rate_of_their_own_and_no_decay():
    groups = parameter_groups(classifier(guided=True), weight_decay=0.1, trunk_rate=0.5, alpha_rate=30.0)
    assert sum(len(g["params"]) for g in groups) == len(list(classifier(guided=True).parameters()))
    (alpha,) = [g for g in groups if g["rate_scale"] == 30.0]
    assert alpha["weight_decay"] == 0 and len(alpha["params"]) == 1
    assert all(p.ndim > 1 for g in groups if g["weight_decay"] for p in g["params"])
    assert {g["rate_scale"] for g in groups} == {0.5, 1.0, 30.0}
    torch.optim.AdamW(groups, 1e-4)


@pytest.mark.parametrize("kind", ["received", "rollout"])
def test_attention_maps_of_a_study_sum_to_one_and_leave_absent_views_out(kind):
    present = torch.tensor([[True, True, False], [True, True, True]])
    maps = classifier(guided=True).attention_maps(IMAGES, correspondences=MATCHES, present=present, kind=kind)
    assert maps.shape == (2, 3, 4, 4)
    torch.testing.assert_close(maps.sum((1, 2, 3)), torch.ones(2))
    assert float(maps[0, 2].abs().max()) == 0
    apart = classifier("late").attention_maps(IMAGES, kind=kind)
    torch.testing.assert_close(apart.sum((2, 3)), torch.ones(2, 3))


def test_guided_attention_looks_at_what_matches():
    matches = torch.zeros(1, 1, 16, 16)
    matches[..., 5] = 1
    guided = classifier(guided=True)
    torch.nn.init.constant_(guided.module.alpha, 6.0)
    maps = guided.attention_maps(PAIR[:1], correspondences=matches, kind="received")[0, 1].flatten()
    assert int(maps.argmax()) == 5


@pytest.mark.parametrize(
    ("net", "images", "options", "match"),
    [
        ({"fusion": "single"}, PAIR, {}, "must see one view a study, got 2"),
        ({"guided": True}, PAIR, {}, "a guided classifier was asked, got none of the correspondences"),
        ({}, PAIR, {"correspondences": PAIR_MATCHES}, "an unguided classifier was asked, got some"),
        ({"guided": True}, PAIR, {"correspondences": MATCHES}, r"correspondences must be \(2, 1, 16, 16\) for 2 views"),
        ({"guided": True}, IMAGES[:, :1], {"correspondences": MATCHES}, "at least 2 views"),
    ],
)
def test_studies_that_do_not_fit_are_refused(net, images, options, match):
    with pytest.raises(InputError, match=match):
        classifier(**net)(images, **options)


def test_attention_maps_need_attention():
    none = new_classifier(StudyClassifierConfig(replace(MATCHER, module="none", layers=0)))
    assert none(IMAGES).shape == (2,)
    with pytest.raises(InputError, match="attention maps need module standard"):
        none.attention_maps(IMAGES)
    with pytest.raises(InputError, match="kind must be 'received' or 'rollout'"):
        classifier().attention_maps(IMAGES, kind="all")
