"""Patients are held out by their split or by share, whole, and the same ones each time."""

import pytest
from support.waiting import PATIENCE
from xraykit.render import InputError, OutputError
from xraykit.render.training import hold_out_patients, wait_for_first


def test_a_split_val_is_held_out_and_a_split_test_is_in_neither():
    splits = {"d": {"train"}, "a": {"val"}, "b": {"test"}, "c": {"train"}}
    assert hold_out_patients(splits, 0.5, seed=0) == (["c", "d"], ["a"])


def test_without_a_split_val_a_share_is_held_out_that_follows_from_the_seed():
    splits = {number: {"None"} for number in range(20)}
    learned, held = hold_out_patients(splits, 0.25, seed=3)
    assert len(held) == 5 and sorted(learned + held) == list(range(20)) and held == sorted(held)
    assert hold_out_patients(splits, 0.25, seed=3) == (learned, held) != hold_out_patients(splits, 0.25, seed=4)
    assert hold_out_patients(splits, 0.0, seed=3) == (list(range(20)), [])
    assert [len(part) for part in hold_out_patients({1: {"train"}, 2: {"train"}}, 0.01, seed=0)] == [1, 1]
    assert [len(part) for part in hold_out_patients({1: {"train"}}, 0.5, seed=0)] == [1, 0]


def test_a_patient_in_two_splits_and_nobody_to_learn_from_are_refused():
    with pytest.raises(InputError, match="a patient must be in one split, got patient 7 in train and val"):
        hold_out_patients({7: {"val", "train"}}, 0.1, seed=0, name=lambda number: f"patient {number}")
    with pytest.raises(InputError, match="there must be patients to learn from"):
        hold_out_patients({1: {"val"}, 2: {"test"}}, 0.1, seed=0)


def test_what_comes_later_is_waited_for_and_what_never_comes_is_said(tmp_path):
    found = iter([None, "store"])
    assert wait_for_first(lambda: next(found), tmp_path, seconds=PATIENCE) == "store"
    with pytest.raises(OutputError, match="must be filled by the first process, got none in 0 s"):
        wait_for_first(lambda: None, tmp_path, seconds=0.0)
