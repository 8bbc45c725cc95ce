"""Batches of studies are a pure function of seed and number, and correspondences move with their images."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from support.corr_pairs import body, projection
from support.corr_studies import write_study_set
from support.damaged_arrays import write_damaged_npz
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.ground_truth import change_projection, correspondence
from xraykit.corr.studies import (
    LabelledStudy,
    StudyBatches,
    StudyChangeSettings,
    StudyImage,
    change_study,
    draw_study_change,
    prepare_studies,
    read_studies,
    read_truth,
)
from xraykit.corr.studies.study_changes import reorder_matrices
from xraykit.render import FileError, InputError

STILL = StudyChangeSettings(mirror=0, shift=0, brightness=0, contrast=0, gamma=0, noise=0)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_study_set(tmp_path_factory.mktemp("set"), each=6, views=3)


@pytest.fixture(scope="module")
def store(manifest, tmp_path_factory):
    return prepare_studies(read_studies(manifest), tmp_path_factory.mktemp("p"), XrayInputSettings(size=32), views=3)


def batches(store, **options):
    given = {"batch": 4, "grid": 8, "seed": 1} | options
    return StudyBatches(store, store.numbers_of("train"), given.pop("changes", STILL), **given)


def test_a_batch_follows_from_seed_and_number_alone(store):
    matrices = lambda number: torch.full((3, 64, 64), number / 100)  # noqa: E731
    first, second = (batches(store, changes=StudyChangeSettings(), matrices=matrices) for _ in range(2))
    second.batch(0)
    for a, b in zip(first.batch(5), second.batch(5), strict=True):
        assert torch.equal(a, b)
    other = batches(store, changes=StudyChangeSettings(), seed=2).batch(5)
    assert not torch.equal(first.batch(5).images, other.images)
    assert first.batch(5).images.shape == (4, 3, 1, 32, 32) and first.batch(5).correspondences.shape == (4, 3, 64, 64)


def test_ranks_share_an_epoch_and_every_study_comes_once(store):
    seen = []
    for rank in range(3):
        source = batches(store, batch=2, rank=rank, ranks=3)
        seen += [float(image.sum()) for image in source.batch(0).images]
    assert len({round(value, 3) for value in seen}) == 6


def test_single_views_are_one_view_of_each_study(store):
    batch = batches(store, single=True).batch(0)
    assert batch.images.shape == (4, 1, 1, 32, 32) and batch.present.all() and batch.correspondences is None
    whole = [store.images(number) for number in store.numbers_of("train")]
    for image in batch.images:
        assert any(torch.allclose(image[0], view, atol=0.02) for study in whole for view in study)


def test_absent_views_stay_absent(manifest, tmp_path):
    studies = list(read_studies(manifest))
    studies[0] = type(studies[0])("train0", "p_train0", "train", 0, studies[0].images[:1])
    store = prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=32), views=3)
    assert store.present[0].tolist() == [True, False, False] and not store.images(0)[1:].any()
    batch = batches(store, batch=6, changes=StudyChangeSettings()).batch(0)
    lone = (batch.present.sum(1) == 1).nonzero()[0]
    assert not batch.images[lone, 1:].any()


def test_a_store_is_taken_up_again_only_for_the_same_images_and_settings(manifest, tmp_path, monkeypatch):
    studies = read_studies(manifest)
    first = prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=32), views=2)
    monkeypatch.setattr("xraykit.corr.studies.study_store.prepare_xray", None)
    again = prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=32), views=2)
    assert torch.equal(first.images(3), again.images(3))
    assert torch.equal(pickle.loads(pickle.dumps(again)).images(3), first.images(3))
    with pytest.raises(TypeError):
        prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=48), views=2)
    with pytest.raises(InputError, match="--views must be 1 or more"):
        prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=32), views=0)


@pytest.mark.parametrize("seed", range(4))
def test_correspondence_moves_as_the_projection_does(seed):
    grid, support = 8, body(3, cells=16)
    views = [projection(20.0), projection(100.0, 10.0)]
    truth = correspondence(support, *views, grid=grid, mode="hard")
    settings = StudyChangeSettings(mirror=0.5, shift=1, brightness=0, contrast=0, gamma=0, noise=0)
    change = draw_study_change(settings, np.random.default_rng(seed), 2, grid)
    moved = change_study(torch.rand(2, 1, 32, 32), truth[None], change)[1][0]
    again = [change_projection(view, one.matrix) for view, one in zip(views, change.images, strict=True)]
    expected = correspondence(support, *again, grid=grid, mode="hard")
    shown = (change.patches[0] >= 0)[:, None] & (change.patches[1] >= 0)[None]
    # Cells whose centre lies on a border of patches may fall to either side.
    assert float((moved != expected)[shown].float().mean()) < 2e-3
    assert not moved[~shown].any()


def test_images_move_with_their_patches():
    grid = 4
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 4:8, 8:12] = 1.0  # patch (1, 2)
    settings = StudyChangeSettings(mirror=1.0, shift=1, brightness=0, contrast=0, gamma=0, noise=0)
    for seed in range(6):
        change = draw_study_change(settings, np.random.default_rng(seed), 1, grid)
        moved = torch.nn.functional.avg_pool2d(change_study(image, None, change)[0], 4).flatten()
        where = (change.patches[0] == 1 * grid + 2).nonzero().flatten()
        assert moved.argmax() == where and float(moved[where]) == pytest.approx(1, abs=0.01)


def test_views_in_another_order_have_transposed_correspondences():
    matrices = torch.rand(3, 4, 4)  # pairs 01, 02, 12
    turned = reorder_matrices(matrices, [2, 0, 1])
    assert torch.equal(turned, torch.stack([matrices[1].T, matrices[2].T, matrices[0]]))


def test_a_batch_larger_than_the_split_is_refused(store):
    with pytest.raises(InputError, match="a batch of 4 x 2 ranks needs as many studies to learn from, got 6"):
        batches(store, ranks=2)


def test_the_truth_of_a_study_is_read_for_its_first_views(manifest):
    studies, path = read_studies(manifest), manifest.parent / "correspondences.npz"
    three = read_truth(path, studies, views=3, grid=8)
    assert three.shape == (18, 3, 64, 64)
    assert torch.equal(read_truth(path, studies, views=2, grid=8)[:, 0], three[:, 0])
    with pytest.raises(InputError, match=r"the network's grid of 16 patches, .* has 8; make the studies again"):
        read_truth(path, studies, views=2, grid=16)
    with pytest.raises(InputError, match="must hold every study, got none of other"):
        read_truth(path, [type(studies[0])("other", "p", "train", 0, studies[0].images)], views=2, grid=8)
    damaged = manifest.parent / "damaged.npz"
    damaged.write_bytes(b"no zip")
    with pytest.raises(FileError, match="must hold the correspondences beside a manifest"):
        read_truth(damaged, studies, views=2, grid=8)
    write_damaged_npz(damaged, studies[0].name, *(study.name for study in studies[1:]))
    with pytest.raises(FileError, match=r"must hold the correspondences .*; make the studies again"):
        read_truth(damaged, studies, views=2, grid=8)


@pytest.mark.parametrize(
    "change, sentence", [({"mirror": 2}, "mirror must be"), ({"shift": 9}, "shift must be 0 to 4")]
)
def test_impossible_changes_are_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        StudyChangeSettings(**change)


def test_padding_stays_black_whatever_happens_to_the_grey_values(tmp_path):
    wide = np.clip(np.add.outer(np.zeros(24), np.linspace(0.2, 1.0, 64)), 0, 1)
    Image.fromarray((wide * 255).astype(np.uint8)).save(tmp_path / "a.png")
    studies = [LabelledStudy(f"s{n}", f"s{n}", "train", n % 2, (StudyImage(tmp_path / "a.png", 0),)) for n in range(2)]
    store = prepare_studies(studies, tmp_path / "p", XrayInputSettings(size=32), views=2)
    shown = store.inside(0)
    assert shown[0].float().mean() == pytest.approx(24 / 64, abs=0.03) and not shown[1].any()
    assert float(store.images(0)[0].max()) == 1.0 and float(store.images(0)[0, 0][~shown[0]].max()) == 0.0
    changes = StudyChangeSettings(mirror=0, shift=0, brightness=0.2, contrast=0.3, gamma=0.3, noise=0.02)
    for image in batches(store, batch=2, changes=changes).batch(3).images:
        assert float(image[:, 0][~shown].abs().max()) == 0.0 and float(image[0].max()) > 0.3
