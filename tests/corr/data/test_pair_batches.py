"""Batches of pairs: truth of the views as they are changed, and the same batch whoever makes it."""

from itertools import combinations

import pytest
import torch
from support.corr_views import write_views
from xraykit.corr.data import ImageChangeSettings, PairBatches, PairSettings, prepare_pairs
from xraykit.corr.ground_truth import correspondence, turn_patches
from xraykit.render import InputError

SETTINGS = PairSettings(size=32, grid=8, unrelated=0.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batches")
    return prepare_pairs([write_views(folder / "job", {"train": 4})], folder / "store", size=24)


def batches(store, settings=SETTINGS, **options):
    return PairBatches(store, settings, **({"batch": 4, "seed": 5} | options))


def test_shapes_ranges_and_names(store):
    made = batches(store, changes=ImageChangeSettings()).batch(0)
    assert made.images.shape == (4, 2, 1, 32, 32) and made.images.dtype == torch.float32
    assert 0 <= float(made.images.min()) and float(made.images.max()) <= 1
    assert made.truth.shape == (4, 64, 64) and made.related.tolist() == [True] * 4
    assert made.projections.shape == (4, 2, 3, 4)
    assert all(
        first.rpartition("_")[0] == patient for (first, _), patient in zip(made.names, made.patients, strict=True)
    )


@pytest.mark.parametrize("mode", ["share", "hard", "volume"])
def test_truth_is_that_of_the_plain_views_where_nothing_changes(store, mode):
    settings = PairSettings(size=32, grid=8, unrelated=0.0, mode=mode, tissue="bone")
    made = batches(store, settings).batch(0)
    for n, names in enumerate(made.names):
        first, second = (store.names.index(name) for name in names)
        support = store.support(store.patient(first), "bone")
        wanted = correspondence(support, store.projection(first), store.projection(second), grid=8, mode=mode)
        torch.testing.assert_close(made.truth[n], wanted)


def test_mirrored_views_have_the_mirrored_truth(store):
    plain = batches(store).batch(0)
    mirrored = batches(store, changes=ImageChangeSettings(0, 0, 0, 1.0, 0, 0, 0, 0, 0)).batch(0)
    assert mirrored.names == plain.names
    torch.testing.assert_close(mirrored.images, plain.images.flip(-1), atol=1e-4, rtol=0)
    wanted = turn_patches(plain.truth, first=(0, True), second=(0, True))
    torch.testing.assert_close(mirrored.truth, wanted, atol=1e-5, rtol=0)


def test_truth_is_that_of_the_changed_projections_where_the_image_shows(store):
    made = batches(store, changes=ImageChangeSettings(zoom=0.3, roll=180, shift=0.1, noise=0)).batch(3)
    for n, names in enumerate(made.names):
        support = store.support(store.patient(store.names.index(names[0])))
        whole = correspondence(support, *made.projections[n], grid=8)
        kept = made.truth[n] > 0
        torch.testing.assert_close(made.truth[n][kept], whole[kept])
        gone = (whole > 0) & ~kept
        rows, columns = gone.any(1) & ~kept.any(1), gone.any(0) & ~kept.any(0)
        assert not bool((gone & ~rows[:, None] & ~columns).any())  # whole patches go, or none


def test_strangers_correspond_to_nothing(store):
    settings = PairSettings(size=32, grid=8, unrelated=0.5)
    made = [batches(store, settings).batch(n) for n in range(4)]
    related = torch.cat([one.related for one in made])
    dense = torch.cat([(one.truth > 0).any(dim=(1, 2)) for one in made])
    assert torch.equal(related, dense) and 0 < int(related.sum()) < 16


def test_more_views_have_the_truth_of_each_two(store):
    settings = PairSettings(size=32, grid=8, unrelated=0.4, views_per_item=3)
    made = batches(store, settings, batch=8).batch(0)
    assert made.images.shape == (8, 3, 1, 32, 32) and made.truth.shape == (8, 3, 64, 64)
    for n, names in enumerate(made.names):
        views = [store.names.index(name) for name in names]
        for p, (a, b) in enumerate(combinations(range(3), 2)):
            wanted = torch.zeros(64, 64)
            if made.related[n] or b < 2:
                support = store.support(store.patient(views[a]))
                wanted = correspondence(support, store.projection(views[a]), store.projection(views[b]), grid=8)
            torch.testing.assert_close(made.truth[n, p], wanted)
    assert 0 < int(made.related.sum()) < 8


def test_views_moved_off_the_tissue_correspond_to_nothing(store):
    from xraykit.corr.data.pair_batches import true_matrices
    from xraykit.corr.ground_truth import change_projection

    away = torch.eye(3).double()
    away[0, 2] = 5.0  # five images to the right
    views = store.projections[:3].clone()
    views[1] = change_projection(views[1], away)
    truth = true_matrices(store, SETTINGS, 0, views)
    assert [bool(matrix.any()) for matrix in truth] == [False, True, False]


def test_a_batch_follows_from_its_number_and_ranks_share_them(store):
    changes = ImageChangeSettings()
    one, other = (batches(store, changes=changes) for _ in range(2))
    later = other.batch(3)
    for _ in range(2):
        assert torch.equal(one.batch(3).images, later.images)
    assert torch.equal(one.batch(3).truth, later.truth)
    halves = [batches(store, changes=changes, batch=2, rank=rank, ranks=2).batch(1) for rank in range(2)]
    assert torch.equal(torch.cat([half.images for half in halves]), one.batch(1).images)


@pytest.mark.slow
def test_workers_make_the_same_batches(store):
    changes = ImageChangeSettings()
    alone, helped = batches(store, changes=changes), batches(store, changes=changes, workers=2)
    for number in (0, 1, 2, 1):
        wanted, made = alone.batch(number), helped.batch(number)
        assert torch.equal(made.images, wanted.images) and torch.equal(made.truth, wanted.truth)
        assert made.names == wanted.names
    helped.close()


def test_numbers_out_of_range_are_refused(store):
    with pytest.raises(InputError, match="batch must be 1 or more, workers and seed 0 or more, rank below ranks"):
        batches(store, batch=0)
    with pytest.raises(InputError, match="a batch's number must be 0 or more, got -1"):
        batches(store).batch(-1)
