"""Patients are learned from or held out, never both."""

from types import SimpleNamespace

import pytest
import torch
from xraykit.corr.train.patient_split import check_apart, split_patients
from xraykit.render import InputError


class Store:
    """As much of a store as a split needs: `splits` of the views of each patient, and a body of each."""

    def __init__(self, splits, bodies=()):
        self.patients = [f"job/{number}" for number in range(len(splits))]
        self.rows = [(patient, split) for patient, names in enumerate(splits) for split in names]
        self.labels = [{"split": split} for _, split in self.rows]
        self.bodies = bodies

    def patient(self, number):
        return self.rows[number][0]

    def support(self, patient):
        return SimpleNamespace(cells=torch.tensor([[0, 0, self.bodies[patient]]]), affine=torch.eye(4))


def test_val_is_held_out_and_test_is_in_neither():
    store = Store([["train"] * 2, ["val"], ["test"], ["train"], ["val"]])
    assert split_patients(store, 0.5, seed=0) == ([0, 3], [1, 4])


def test_without_val_a_share_is_held_out_that_follows_from_the_seed():
    store = Store([["all"]] * 10)
    learned, held = split_patients(store, 0.3, seed=1)
    assert len(held) == 3
    assert sorted([*learned, *held]) == list(range(10))
    assert split_patients(store, 0.3, seed=1) == (learned, held)
    assert split_patients(store, 0.3, seed=2)[1] != held
    assert split_patients(store, 0.0, seed=1) == (list(range(10)), [])
    assert len(split_patients(store, 1.0, seed=1)[0]) == 1


def test_single_patient_is_learned_from():
    assert split_patients(Store([["all"]]), 0.5, seed=0) == ([0], [])


def test_patient_in_two_splits_is_refused():
    with pytest.raises(InputError, match="a patient must be in one split, got job/1 in train and val"):
        split_patients(Store([["train"], ["train", "val"]]), 0.1, seed=0)
    with pytest.raises(InputError, match="there must be patients to learn from, got those of the splits val and test"):
        split_patients(Store([["val"], ["test"]]), 0.1, seed=0)


def test_same_body_on_both_sides_is_refused():
    store = Store([["train"], ["train"], ["val"]], bodies=(1, 2, 2))
    with pytest.raises(InputError, match="got job/1 to learn from and job/2 held out with the same body"):
        check_apart(store, [0, 1], [2])
    check_apart(store, [0], [2])
