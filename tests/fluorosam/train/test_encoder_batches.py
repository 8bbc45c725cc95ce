"""Dense batches show what the store has, with left and right exchanged in mirrored images."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.fluorosam_jobs import CONFIG, write_segmentation_job
from xraykit.fluorosam.data import SegmentationChanges, plain_framing, prepare_segmentations
from xraykit.fluorosam.train import ClassBatches, EncoderScores, class_cover
from xraykit.fluorosam.vocabulary import pretraining_classes
from xraykit.render import InputError

CELLS = 16
SIDED = pretraining_classes()
NAMES = [one.name for one in SIDED]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    return prepare_segmentations([write_segmentation_job(folder / "job")], CONFIG, folder / "store")


def cover_of(store, number, classes=SIDED, *, mirrored=False):
    framing = plain_framing(store.shown(number), store.edge, store.image_size)
    if mirrored:
        framing = replace(framing, matrix=(-1.0, 0.0, 0.0, 1.0, 1.0, 0.0), mirrored=True)
    return class_cover(store, number, framing, classes, CELLS)


def test_cover_is_the_stored_mask_on_coarser_cells(store):
    cover, known = cover_of(store, 0)
    masks = dict(zip(store.annotation_names(0), store.masks(0).float(), strict=True))
    for name in ("femur_left", "femur_right"):
        expected = torch.nn.functional.avg_pool2d(masks[name][None], masks[name].shape[0] // CELLS)[0]
        torch.testing.assert_close(cover[NAMES.index(name)], expected, atol=0.26, rtol=0)
        assert float((cover[NAMES.index(name)] - expected).abs().mean()) < 0.01
        assert known[NAMES.index(name)]


def test_tools_are_one_class(store):
    assert float(cover_of(store, 0)[0][NAMES.index("tool")].sum()) > 0
    cover, known = cover_of(store, 1)  # the same without its wire, and all tools are labelled
    assert float(cover[NAMES.index("tool")].sum()) == 0 and known[NAMES.index("tool")]


def test_mirrored_image_exchanges_left_and_right(store):
    left, right = NAMES.index("femur_left"), NAMES.index("femur_right")
    plain, mirrored = cover_of(store, 0)[0], cover_of(store, 0, mirrored=True)[0]
    torch.testing.assert_close(mirrored[left], plain[right].flip(-1))
    torch.testing.assert_close(mirrored[right], plain[left].flip(-1))


def test_without_sides_both_femora_are_one_class(store):
    classes = pretraining_classes(sides=False)
    both = cover_of(store, 0, classes)[0][[one.name for one in classes].index("femur")]
    sides = cover_of(store, 0)[0]
    torch.testing.assert_close(both, sides[NAMES.index("femur_left")] + sides[NAMES.index("femur_right")])


def test_what_may_be_there_without_a_label_is_not_known(store):
    known = cover_of(store, 0)[1]
    assert not known[NAMES.index("sacrum")]  # next to the thigh
    assert known[NAMES.index("skull")]  # far from it


def test_nothing_is_absent_where_not_everything_was_labelled(tmp_path):
    job = write_segmentation_job(tmp_path / "job", labels="femur_left")
    partial = prepare_segmentations([job], CONFIG, tmp_path / "store")
    assert not cover_of(partial, 1)[1][NAMES.index("skull")]


def test_label_without_side_makes_both_sides_unknown(store):
    one = next(each for each in SIDED if each.name == "femur_left")
    unsure = [replace(one, unsure=frozenset({"femur_right"}))]
    assert not cover_of(store, 0, unsure)[1][0]


def batches(store, **facts):
    given = {"batch": 3, "cells": CELLS, **facts}
    return ClassBatches(store, range(len(store)), SIDED, given.pop("changes", SegmentationChanges()), **given)


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_batch_is_a_function_of_seed_number_and_rank(store):
    first = batches(store).batch(2)
    assert first.images.shape == (3, 3, 64, 64) and first.cover.shape == (3, len(SIDED), CELLS, CELLS)
    assert same(first, batches(store).batch(2))
    assert not same(first, batches(store).batch(3)) and not same(first, batches(store, seed=1).batch(2))
    ranks = [batches(store, rank=rank, ranks=2, batch=1).batch(0) for rank in (0, 1)]
    both = batches(store, batch=2).batch(0)
    assert same([torch.cat(pair) for pair in zip(*ranks, strict=True)], both)


def test_batches_made_within_a_step_of_lower_precision_are_the_same(store):
    alone = [batches(store, batch=8).batch(number) for number in range(4)]  # some of them are filtered
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert all(same(one, batches(store, batch=8).batch(number)) for number, one in enumerate(alone))


@pytest.mark.slow
def test_workers_make_the_same_batches(store):
    ahead = batches(store, workers=1)
    for number in (0, 1, 5):
        assert same(ahead.batch(number), batches(store).batch(number))
    ahead.close()


def test_unchanged_images_are_shown_once_an_epoch_in_any_order(store):
    plain = batches(store, changes=SegmentationChanges.none(), batch=len(store))
    sums = [sorted(plain.batch(n).images.double().sum((1, 2, 3)).tolist()) for n in (0, 1)]
    assert sums[0] == sums[1]


@pytest.mark.parametrize("facts", [{"batch": 0}, {"cells": 0}, {"rank": 2, "ranks": 2}, {"workers": -1}])
def test_numbers_out_of_range_are_refused(store, facts):
    with pytest.raises(InputError, match="expected batch and cells"):
        batches(store, **facts)


def test_images_that_are_not_there_are_refused(store):
    with pytest.raises(InputError, match="images from 0"):
        ClassBatches(store, [99], SIDED, SegmentationChanges(), batch=1, cells=8)


def test_scores_of_the_truth_are_one_and_of_the_other_side_are_zero(store):
    cover = torch.stack([cover_of(store, n)[0] for n in range(3)])
    known = torch.from_numpy(np.stack([cover_of(store, n)[1] for n in range(3)]))
    right, wrong = EncoderScores(SIDED), EncoderScores(SIDED)
    logits = torch.where(cover >= 0.5, 5.0, -5.0)
    right.add(logits, cover, known)
    assert right.columns() == {"dice": 1.0, "other_side": 0.0}
    exchanged = logits.clone()
    left, other = NAMES.index("femur_left"), NAMES.index("femur_right")
    exchanged[:, [left, other]] = logits[:, [other, left]]
    wrong.add(exchanged, cover, known)
    assert wrong.columns()["other_side"] == 1.0 and wrong.columns()["dice"] < 0.5
