"""Scores are those of scikit-learn."""

import numpy as np
import pytest
from xraykit.dax.probes.region import class_scores, confusion_matrix
from xraykit.dax.probes.region.scores import score_of
from xraykit.render import InputError

EXTRA = "needs the extra: pip install 'xraykit-dax[umap]'"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("average", ["weighted", "macro"])
def test_precision_recall_and_f1_are_those_of_scikit_learn(seed, average):
    metrics = pytest.importorskip("sklearn.metrics", reason=EXTRA)
    accuracy_score, precision_recall_fscore_support = metrics.accuracy_score, metrics.precision_recall_fscore_support

    rng = np.random.default_rng(seed)
    truth, found = rng.integers(0, 5, 60), rng.integers(0, 6, 60)
    found[truth == 2] = np.where(rng.random((truth == 2).sum()) < 0.7, 2, 0)
    found[found == 4] = 1  # one class is never found, another has no cases, a third neither
    scores = class_scores(confusion_matrix(truth, found, 7))
    theirs = precision_recall_fscore_support(truth, found, average=average, zero_division=0)[:3]
    mine = [getattr(scores, f"{average}_{name}") for name in ("precision", "recall", "f1")]
    np.testing.assert_allclose(mine, theirs, atol=1e-12)
    assert scores.accuracy == pytest.approx(accuracy_score(truth, found))
    assert scores.weighted_recall == pytest.approx(scores.accuracy)


def test_the_confusion_matrix_is_that_of_scikit_learn():
    theirs = pytest.importorskip("sklearn.metrics", reason=EXTRA).confusion_matrix

    rng = np.random.default_rng(9)
    truth, found = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    assert np.array_equal(confusion_matrix(truth, found, 4), theirs(truth, found, labels=range(4)))


def test_recall_of_a_class_without_cases_is_nan():
    recall = class_scores(confusion_matrix([0, 0, 1], [0, 1, 1], 3)).recall
    np.testing.assert_array_equal(recall, [0.5, 1.0, np.nan])


def test_a_score_of_rows_is_that_of_their_confusions():
    rows = np.array([[0, 0], [0, 1], [1, 1], [2, 1]], dtype=float)
    assert score_of(rows, 3, "accuracy") == 0.5
    assert score_of(rows, 3, "macro_f1") == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_a_class_out_of_range_is_refused():
    with pytest.raises(InputError, match="classes 0 to 1"):
        confusion_matrix([0, 2], [0, 1], 2)
    with pytest.raises(InputError, match="same cases"):
        confusion_matrix([0, 1], [0], 2)
