"""Folds keep patients together and classes alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.dax.probes import check_folds, grouped_folds
from xraykit.render import InputError

EXTRA = "needs the extra: pip install 'xraykit-dax[umap]'"


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=20, max_size=80),
    st.integers(2, 5),
    st.integers(0, 9),
)
def test_no_patient_is_in_two_folds_and_no_fold_is_empty(cases, folds, seed):
    patients, labels = [f"p{p}" for p, _ in cases], [f"c{c}" for _, c in cases]
    if len(set(patients)) < folds or len(set(labels)) < 2:
        return
    found = grouped_folds(patients, labels, folds=folds, seed=seed)
    assert set(found.tolist()) == set(range(folds))
    assert np.array_equal(check_folds(found, patients), found)


def test_the_seed_alone_decides():
    patients, labels = [f"p{n // 3}" for n in range(90)], [f"c{n % 7 % 3}" for n in range(90)]
    first = grouped_folds(patients, labels, seed=3)
    assert np.array_equal(first, grouped_folds(patients, labels, seed=3))
    assert not np.array_equal(first, grouped_folds(patients, labels, seed=4))


def test_classes_of_patients_with_one_class_each_are_spread_exactly():
    patients = [f"p{n // 2}" for n in range(60)]
    labels = [f"c{n // 20}" for n in range(60)]  # ten patients of each of three classes
    folds = grouped_folds(patients, labels, folds=5)
    for fold in range(5):
        held = [label for label, f in zip(labels, folds, strict=True) if f == fold]
        assert sorted(held) == sorted(["c0", "c1", "c2"] * 4)


def test_classes_are_spread_as_evenly_as_by_scikit_learn():
    StratifiedGroupKFold = pytest.importorskip("sklearn.model_selection", reason=EXTRA).StratifiedGroupKFold

    rng = np.random.default_rng(0)
    patients = rng.integers(0, 30, 300)
    labels = (patients % 4 + rng.integers(0, 2, 300)) % 4

    def unevenness(folds):
        shares = np.array([[(labels[folds == f] == c).sum() / (labels == c).sum() for c in range(4)] for f in range(5)])
        return shares.var(0).sum()

    mine = grouped_folds([str(p) for p in patients], [str(c) for c in labels], folds=5)
    theirs = np.zeros(300, dtype=int)
    for fold, (_, held) in enumerate(StratifiedGroupKFold(5).split(labels, labels, patients)):
        theirs[held] = fold
    assert unevenness(mine) <= 1.5 * unevenness(theirs) + 1e-3


def test_without_labels_folds_are_of_equal_size():
    assert np.bincount(grouped_folds([f"p{n // 4}" for n in range(80)], folds=5)).tolist() == [16] * 5


def test_fewer_patients_than_folds_are_refused():
    with pytest.raises(InputError, match="got 5 folds and 3 patients"):
        grouped_folds(["a", "b", "c", "a"], ["x", "y", "x", "y"])


def test_one_class_is_refused():
    with pytest.raises(InputError, match="at least two classes, one for each of 3 cases, got 1 classes"):
        grouped_folds(["a", "b", "c"], ["x", "x", "x"], folds=2)


def test_no_cases_are_refused():
    with pytest.raises(InputError, match="got 5 folds and 0 patients"):
        grouped_folds([], [])


def test_a_patient_in_two_folds_is_refused():
    with pytest.raises(InputError, match="got b in folds 0 and 1"):
        check_folds([0, 0, 1], ["a", "b", "b"])


def test_folds_of_another_number_are_refused():
    with pytest.raises(InputError, match="each of 3 cases, got 2 cases"):
        check_folds([0, 1], ["a", "b", "c"])
