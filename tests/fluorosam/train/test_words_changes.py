"""Changed texts still ask for the same thing, and never become a held-out wording."""

import difflib

import numpy as np
import pytest
from xraykit.fluorosam.network import tokenise
from xraykit.fluorosam.prompts import write_texts
from xraykit.fluorosam.train import changed_text, with_typo, words_changes
from xraykit.fluorosam.vocabulary import phrases_of, resolve
from xraykit.render import InputError

TARGETS = ("femur_left", "rib_right_5", "vertebrae_L4", "carpal_left", "kidney", "liver", "k_wire", "bones")


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(change, text, count=200):
    draws = rng()
    return {change(text, draws) for _ in range(count)}


def test_typo_changes_one_word_by_one_letter_and_keeps_its_first():
    for made in drawn(with_typo, "left clavicle"):
        words = made.split()
        assert words[0] == "left"  # four letters are left alone
        assert words[1][0] == "c" and abs(len(words[1]) - len("clavicle")) <= 1
        assert difflib.SequenceMatcher(None, "clavicle", words[1]).ratio() > 0.8


def test_typo_never_makes_another_known_word():
    known = words_changes._known_words()
    assert {"carpal", "tarsal", "metacarpals"} <= known
    for text in ("carpals", "femora", "sacra", "costal cartilage"):
        for made in drawn(with_typo, text, 500):
            assert made == text or not set(made.split()) - set(text.split()) <= known


def test_text_without_a_long_word_has_no_typo():
    assert drawn(with_typo, "the L4 rib") == {"the L4 rib"}


@pytest.mark.parametrize(
    "change, text, made",
    [
        ("_side_last", "left femur", {"femur left", "femur, left"}),
        ("_side_last", "left and right femurs", {"left and right femurs"}),
        ("_side_short", "right fourth rib", {"r fourth rib", "rt fourth rib", "r. fourth rib"}),
        ("_side_short", "artery to the left of the IVC", {"artery to the left of the IVC"}),
        ("_side_short", "left and right lung", {"left and right lung"}),
        ("_numbers", "fourth rib on the left", {"4th rib on the left"}),
        ("_numbers", "segment L4", {"segment L4", "segment L-four", "segment L four"}),
        ("_plural", "left femurs", {"left femur"}),
        ("_plural", "humerus", {"humerus"}),
        ("_no_articles", "show me the left femur", {"show me the left femur", "show me left femur"}),
    ],
)  # fmt: skip
def test_each_change_does_what_it_says(change, text, made):
    assert drawn(getattr(words_changes, change), text) == made


def test_strange_words_stand_around_a_text_and_name_nothing():
    fillers = set(words_changes._fillers())
    assert len(fillers) > 20_000
    assert not fillers & {"trace", "contour", "femur", "girdle", "left", "region", "delineate"}
    for made in drawn(words_changes._strange_words, "left femur"):
        assert made.startswith("left femur ") != made.endswith(" left femur")
        rest = made.replace("left femur", "").split()
        assert 1 <= len(rest) <= 5 and set(rest) <= fillers


def test_a_name_becomes_a_sentence():
    made = drawn(words_changes._asked_for, "left femur")
    assert "please find the left femur" in made
    assert drawn(words_changes._asked_for, "where is the left femur?") == {"where is the left femur?"}


@pytest.mark.parametrize("target", TARGETS)
def test_changes_that_spell_words_right_keep_what_is_asked_for(target, monkeypatch):
    others = [one for one in words_changes._CHANGES if one[0].__name__ not in ("_typos", "_plural")]
    monkeypatch.setattr(words_changes, "_CHANGES", tuple(others))
    draws, right, total = rng(3), 0, 0
    for one in write_texts(target, 12):
        for _ in range(6):
            total += 1
            try:
                found = resolve(changed_text(one.text, draws)).name
            except InputError:
                continue  # a form that the recogniser does not know
            assert found == target, (one.text, found)
            right += 1
    assert right > 0.6 * total


def test_no_change_makes_a_held_out_sentence_or_word():
    draws = rng(4)
    held = ("contour ", "trace ", "point out ", "mask of ", "can you see ", "delineate", "os femoris", " (left)")
    for one in write_texts("femur_left", 30):
        for _ in range(20):
            assert not [word for word in held if word in changed_text(one.text, draws).lower()]


def test_case_and_white_space_are_gone_before_the_encoder_sees_a_text():
    assert tokenise(["LEFT  Femur"]).equal(tokenise(["left femur"]))


def test_changes_depend_on_the_generator_alone():
    text = phrases_of("femur_left")[0].text
    assert [changed_text(text, rng(n)) for n in range(9)] == [changed_text(text, rng(n)) for n in range(9)]
