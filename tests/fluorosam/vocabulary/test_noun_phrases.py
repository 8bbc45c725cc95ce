"""Names of targets: no name for two things, held-out words apart, and what a clinician would say."""

from collections import defaultdict

import pytest
from xraykit.fluorosam.vocabulary import STRUCTURES, all_targets, mirrored_name, normalise, phrases_of


def test_no_name_stands_for_two_different_sets():
    owners = defaultdict(set)
    for name, target in all_targets().items():
        for one in phrases_of(name):
            owners[normalise(one.text)].add(target.members)
    assert {text for text, sets in owners.items() if len(sets) > 1} == set()


def test_no_name_is_held_out_here_and_trained_on_there():
    splits = defaultdict(set)
    for name in all_targets():
        for one in phrases_of(name):
            splits[normalise(one.text)].add(one.held_out)
    assert {text for text, found in splits.items() if len(found) > 1} == set()


def test_every_target_has_names_for_both_splits():
    for name in all_targets():
        assert not phrases_of(name)[0].held_out
        assert {one.held_out for one in phrases_of(name)} == {False, True}, name


def test_held_out_words_are_in_no_name_for_training():
    for name, one in STRUCTURES.items():
        trained = [f" {normalise(phrase.text)} " for phrase in phrases_of(name) if not phrase.held_out]
        trained += [f" {normalise(one.gloss)} "]
        for word in one.words:
            if word.held_out:
                assert not any(f" {normalise(word.text)} " in text for text in trained), (name, word.text)


def test_names_of_the_left_are_those_of_the_right_with_the_side_exchanged():
    def exchanged(text):
        return text.replace("left", "?").replace("right", "left").replace("?", "right")

    for name, one in STRUCTURES.items():
        if one.side == "left":
            left = {exchanged(phrase.text) for phrase in phrases_of(name) if not phrase.text.startswith("L ")}
            right = {phrase.text for phrase in phrases_of(mirrored_name(name)) if not phrase.text.startswith("R ")}
            assert left == right


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("femur_left", ["left femur", "thigh bone on the left", "femur on the patient's left", "L femur"]),
        ("rib_left_5", ["left fifth rib", "fifth left rib", "rib between the fourth and sixth ribs on the left"]),
        ("vertebrae_L4", ["L4", "fourth lumbar vertebra", "vertebra below L3", "vertebra between L3 and L5"]),
        ("vertebrae_L1", ["vertebra between T12 and L2"]),
        ("fibula_left", ["bone lateral to the left tibia"]),
        ("fibula", ["bone lateral to the tibia", "both fibulae"]),
        ("sacrum", ["bone below L5", "bone between the hip bones"]),
        ("lung_left", ["left lung", "lung on the left"]),
        ("pedicle_screw", ["pedicle screws", "threaded screw with a U-shaped head"]),
    ],
)
def test_names_that_a_clinician_would_use(name, texts):
    known = {one.text for one in phrases_of(name) if not one.held_out}
    assert set(texts) <= known


def test_articles_stand_where_they_are_said():
    said = {
        one.text: one.with_article for name in ("vertebrae_L4", "femur", "ribs", "rib_5") for one in phrases_of(name)
    }
    assert said["L4"] == "L4" and said["L4 vertebra"] == "the L4 vertebra" and said["both femora"] == "both femora"
    assert said["vertebra below L3"] == "the vertebra below L3" and said["all ribs"] == "all ribs"
    assert said["rib 5"] == "rib 5" and said["ribs"] == "the ribs"
