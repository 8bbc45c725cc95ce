"""Nearest neighbours vote with exp(similarity / temperature), and those of the same patient do not."""

import numpy as np
import pytest
import torch
from xraykit.dax.train import neighbours
from xraykit.dax.train.neighbours import neighbour_accuracy, neighbour_votes
from xraykit.render import InputError

EXTRA = "needs the extra: pip install 'xraykit-dax[umap]'"


def features(count, seed, dimension=6):
    return torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def classes(count, seed, number=4):
    return torch.randint(number, (count,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("k", [1, 5, 20])
def test_scikit_learn_counts_the_same_votes(k):
    KNeighborsClassifier = pytest.importorskip("sklearn.neighbors", reason=EXTRA).KNeighborsClassifier
    bank, asked, labels = features(90, 0), features(40, 1), classes(90, 2)
    # Of vectors of length 1, cosine distance is 1 - similarity.
    peer = KNeighborsClassifier(k, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / 0.07))
    peer.fit(bank.numpy(), labels.numpy())
    found = neighbour_votes(asked, bank, labels, k=k)
    np.testing.assert_allclose(found.numpy(), peer.predict_proba(asked.numpy()), atol=1e-4)
    assert (found.argmax(1).numpy() == peer.predict(asked.numpy())).all()


def test_leaving_one_out_is_asking_about_each_image_by_itself():
    x, labels = features(30, 0), classes(30, 1)
    right = 0
    for n in range(30):
        rest = torch.arange(30) != n
        right += int(neighbour_votes(x[n : n + 1], x[rest], labels[rest], k=5).argmax() == labels[n])
    assert neighbour_accuracy(x, labels, k=5) == pytest.approx(right / 30)


def test_images_of_the_same_patient_do_not_vote():
    """Features tell the patient, not the class: easy with the patient's other images, and chance without."""
    patient = torch.arange(40).repeat_interleave(5)
    labels = classes(40, 3)[patient]
    x = features(40, 4)[patient] + 0.01 * features(200, 5)
    assert neighbour_accuracy(x, labels) > 0.9
    apart = neighbour_accuracy(x, labels, patients=patient)
    assert apart < 0.5
    assert neighbour_accuracy(x, labels, patients=[f"P{n}" for n in patient.tolist()]) == apart


def test_classes_that_lie_apart_are_all_found():
    labels = classes(60, 0)
    x = torch.eye(4)[labels] + 0.1 * torch.randn(60, 4, generator=torch.Generator().manual_seed(1))
    assert neighbour_accuracy(x, labels) == 1


def test_the_length_of_features_does_not_matter():
    x, labels = features(40, 0), classes(40, 1)
    stretched = x * torch.linspace(0.1, 30, 40, dtype=x.dtype)[:, None]
    torch.testing.assert_close(neighbour_votes(stretched, x, labels), neighbour_votes(x, x, labels))


def test_any_number_of_images_is_compared_in_parts(monkeypatch):
    bank, asked, labels = features(50, 0), features(23, 1), classes(50, 2)
    whole = neighbour_votes(asked, bank, labels)
    monkeypatch.setattr(neighbours, "TABLE", 7 * 50 + 3)
    torch.testing.assert_close(neighbour_votes(asked, bank, labels), whole)
    assert neighbour_votes(asked[:0], bank, labels).shape == (0, 4)


def test_where_nobody_may_vote_the_image_counts_as_wrong():
    labels = torch.zeros(6, dtype=torch.long)
    assert neighbour_accuracy(features(6, 0), labels, patients=["one"] * 6) == 0
    assert neighbour_accuracy(features(6, 0), labels, patients=["one"] * 5 + ["other"]) == 1


def test_half_precision_features_are_compared_in_float32():
    x, labels = features(40, 0), classes(40, 1)
    found = neighbour_votes(x.half(), x.half(), labels)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, neighbour_votes(x, x, labels).float(), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"bank": torch.zeros(3, 5)}, r"got \(4, 6\) and \(3, 5\)"),
        ({"labels": torch.zeros(2, dtype=torch.long)}, r"one class number, got \(2,\) for 3"),
        ({"k": 0}, "k must be at least 1"),
        ({"temperature": 0.0}, "temperature above 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, match):
    given = {"features": torch.ones(4, 6), "bank": torch.ones(3, 6), "labels": torch.zeros(3, dtype=torch.long)}
    with pytest.raises(InputError, match=match):
        neighbour_votes(**{**given, **change})


def test_patients_must_be_one_for_each_image():
    with pytest.raises(InputError, match="one for each of 4 images, got 2"):
        neighbour_accuracy(torch.ones(4, 3), torch.zeros(4, dtype=torch.long), patients=["a", "b"])
