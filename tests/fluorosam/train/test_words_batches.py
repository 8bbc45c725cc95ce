"""Batches hold several texts of each target beside those of targets that are easily confused with it."""

from collections import Counter

import pytest
import torch
from xraykit.fluorosam.train import TextBatches, TextCorpusSettings, opposite_side, related_targets, text_corpus
from xraykit.fluorosam.vocabulary import all_targets, normalise
from xraykit.render import InputError


@pytest.fixture(scope="module")
def corpus():
    return text_corpus(TextCorpusSettings(short=4, long=2, view_texts=1, held_out=1))


def test_corpus_has_every_target_and_no_held_out_wording(corpus):
    assert set(corpus.targets) == set(all_targets())
    trained = {normalise(text) for texts in corpus.train for text in texts}
    assert not trained & {normalise(one.text) for one in corpus.held_out}


def test_corpus_says_sides_of_the_image_and_views(corpus):
    texts = corpus.train[corpus.targets.index("femur_left")]
    assert any("AP" in text for text in texts)
    sides = [text for target, texts in zip(corpus.targets, corpus.train, strict=True) for text in texts
             if target.endswith("_left") and "of the image" in text]  # fmt: skip
    assert sides and all("right" in text for text in sides)


def test_related_targets_go_both_ways():
    related = related_targets()
    assert set(related) == set(all_targets())
    assert all(one in related[other] for one, others in related.items() for other in others)


@pytest.mark.parametrize(
    "name, near, far",
    [
        ("femur_left", {"femur_right", "femur", "bones", "long_bones"}, {"tibia_left", "femur_left", "liver"}),
        ("rib_left_5", {"rib_right_5", "rib_left_4", "rib_left_7", "ribs_left", "rib_5"}, {"rib_left_9", "sternum"}),
        ("vertebrae_L1", {"vertebrae_T12", "vertebrae_L2", "vertebrae_lumbar"}, {"vertebrae_C1", "vertebrae_L5"}),
        ("pedicle_screw", {"screws"}, {"k_wire"}),
    ],
)
def test_related_are_sides_levels_pairs_and_groups(name, near, far):
    assert near <= set(related_targets()[name])
    assert not far & set(related_targets()[name])


def test_opposite_side_of_what_has_one():
    found = [opposite_side(name) for name in ("rib_left_5", "liver", "ribs_left", "femur")]
    assert found == ["rib_right_5", None, "ribs_right", None]


def test_batch_is_a_function_of_seed_number_and_rank(corpus):
    def texts(number, **facts):
        return TextBatches(corpus, batch=32, context=48, **facts).texts(number)

    assert texts(3) == texts(3)
    assert texts(3) != texts(4) and texts(3) != texts(3, rank=1) and texts(3) != texts(3, seed=1)


def test_batch_has_so_many_texts_of_each_target(corpus):
    batch = TextBatches(corpus, batch=34, each=4, context=48).batch(0)
    assert batch.tokens.shape[0] == 32 and batch.tokens.dtype == torch.long
    assert set(Counter(batch.classes.tolist()).values()) == {4}


def test_share_of_related_targets_is_as_asked(corpus):
    def related_pairs(share):
        batches = TextBatches(corpus, batch=64, each=2, related=share, context=48)
        names = [{corpus.targets[place] for place in batches.texts(n)[0]} for n in range(20)]
        return sum(bool(drawn & set(related_targets()[name])) for drawn in names for name in drawn)

    assert related_pairs(1.0) > 1.5 * related_pairs(0.0)


def test_unchanged_texts_are_the_corpus_own(corpus):
    classes, texts = TextBatches(corpus, batch=32, changed=0.0, context=48).texts(0)
    assert all(text in corpus.train[place] for place, text in zip(classes, texts, strict=True))


def test_changed_texts_fit_a_short_context(corpus):
    short = TextBatches(corpus, batch=64, changed=1.0, context=36)
    assert all(short.batch(number).tokens.shape[1] <= 36 for number in range(3))


@pytest.mark.parametrize(
    "facts, match",
    [
        ({"batch": 6, "each": 4}, "two targets with two texts"),
        ({"batch": 32, "each": 1}, "two targets with two texts"),
        ({"batch": 32, "related": 1.5}, "shares from 0 to 1"),
    ],
)
def test_batches_that_cannot_be_are_refused(corpus, facts, match):
    with pytest.raises(InputError, match=match):
        TextBatches(corpus, **facts)


def test_corpus_of_one_text_a_target_is_refused():
    with pytest.raises(InputError, match="must have two texts"):
        text_corpus(TextCorpusSettings(short=1, long=0, view_texts=0, held_out=0))
