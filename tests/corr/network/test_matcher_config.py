"""Configs of matchers and classifiers refuse what cannot be built."""

import pytest
from xraykit.corr.network import NAMED, MatcherConfig, StudyClassifierConfig, new_matcher
from xraykit.render import InputError


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"trunk": ""}, "trunk must be a name"),
        ({"stride": 4}, "stride must be 8 or 16, got stride=4"),
        ({"image_size": 250}, "image_size must be a multiple of the stride 16, got image_size=250"),
        ({"dimension": 100, "heads": 3}, "dimension must be a multiple of 4 times heads"),
        ({"module": "lightglue"}, "module must be one of none, superglue"),
        ({"head": "softmax"}, "head must be one of sigmoid"),
        ({"norm": "layer"}, "norm must be one of batch"),
        ({"module": "none"}, "module none has 0 layers"),
        ({"layers": 0}, "module none has 0 layers"),
        ({"module": "loftr", "layers": 3}, "needs an even number, got layers=3"),
        ({"layers": True}, "layers must be a whole number"),
        ({"views": 0}, "views must be a whole number from 1 to 64"),
        ({"density": 1.0}, "density must lie between 0 and 1"),
        ({"preprocess": "x"}, "preprocess must be a table"),
    ],
)
def test_a_matcher_that_cannot_be_built_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        MatcherConfig(**change)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"fusion": "middle"}, "fusion must be single, late or early"),
        ({"guided": 1}, "guided must be true or false"),
        ({"guided": True, "fusion": "late"}, "guidance needs early fusion"),
        ({"guided": True, "matcher": MatcherConfig(module="none", layers=0)}, "guidance needs early fusion and module"),
        ({"matcher": MatcherConfig(module="loftr")}, "must have module standard or none, got 'loftr'"),
        ({"per_head": True}, "per_head and centred say how attention is guided"),
    ],
)
def test_a_classifier_that_cannot_be_built_is_refused(change, match):
    with pytest.raises(InputError, match=match):
        StudyClassifierConfig(**change)


def test_named_variants_are_the_paper_s_the_authors_and_two_small_ones():
    assert list(NAMED) == ["paper", "paper-authors", "small", "mini"]
    assert (NAMED["paper"].trunk, NAMED["paper"].dimension, NAMED["paper"].layers) == ("resnet50", 384, 6)
    assert NAMED["mini"].grid == 16


def test_an_unknown_variant_is_refused():
    with pytest.raises(InputError, match="a matcher must be one of paper, paper-authors, small, mini, got 'big'"):
        new_matcher("big")
