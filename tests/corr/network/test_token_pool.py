"""Pooling of a classifier's tokens, and the mini trunk's normalisation over the batch."""

import pytest
import torch
from xraykit.corr.network import MatcherConfig, StudyClassifierConfig, new_classifier, new_matcher
from xraykit.corr.network.trunk import Trunk
from xraykit.render import InputError

MATCHER = MatcherConfig("mini", 8, 32, 32, layers=1, heads=2, norm="batch")


def classifier(pool, fusion="early"):
    return new_classifier(StudyClassifierConfig(MATCHER, fusion, pool=pool), seed=1).eval()


def test_mean_max_is_the_mean_and_the_greatest_value_of_each_channel():
    tokens = torch.randn(3, 2, 16, 32, generator=torch.Generator().manual_seed(2))
    pooled = classifier("mean_max")._pooled(tokens, None)
    flat = tokens.flatten(1, 2)
    assert torch.allclose(pooled, torch.cat([flat.mean(1), flat.amax(1)], 1), atol=1e-6)
    assert torch.allclose(classifier("mean")._pooled(tokens, None), flat.mean(1), atol=1e-6)


def test_absent_views_have_no_say_in_what_is_pooled():
    tokens = torch.randn(2, 2, 16, 32, generator=torch.Generator().manual_seed(3))
    tokens[:, 1] += 100
    pooled = classifier("mean_max")._pooled(tokens, torch.tensor([[True, False], [True, False]]))
    alone = tokens[:, 0]
    assert torch.allclose(pooled, torch.cat([alone.mean(1), alone.amax(1)], 1), atol=1e-6)


@pytest.mark.parametrize("fusion", ["late", "early"])
def test_every_fusion_answers_with_it_and_passes_gradients(fusion):
    images = torch.rand(2, 2, 1, 32, 32, generator=torch.Generator().manual_seed(4)).requires_grad_()
    logits = classifier("mean_max", fusion)(images)
    assert logits.shape == (2,)
    logits.sum().backward()
    assert float(images.grad.abs().amax()) > 0


def test_another_pool_is_refused():
    with pytest.raises(InputError, match="pool must be one of mean, mean_max, got 'max'"):
        StudyClassifierConfig(MATCHER, pool="max")


def test_the_mini_trunk_may_normalise_over_the_batch_or_keep_its_statistics():
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(5))
    kinds = {norm: Trunk("mini", stride=8, norm=norm).train() for norm in ("batch", "frozen_batch", "group")}
    means = {}
    for norm, trunk in kinds.items():
        trunk(images)
        means[norm] = [
            float(m.running_mean.abs().sum()) for m in trunk.modules() if isinstance(m, torch.nn.BatchNorm2d)
        ]
    assert all(value > 0 for value in means["batch"]) and means["batch"]
    assert means["frozen_batch"] and not any(means["frozen_batch"])
    assert means["group"] == []


def test_a_classifier_starts_from_a_matcher_with_batch_normalisation():
    matcher = new_matcher(MATCHER, seed=6)
    started = classifier("mean_max").start_from(matcher)
    for name, value in matcher.patches.state_dict().items():
        assert torch.equal(started.patches.state_dict()[name], value)
