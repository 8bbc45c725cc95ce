"""From text to target: spelling, side, level, sentences around it, and one sentence where it is not known."""

import pytest
from xraykit.fluorosam.vocabulary import (
    all_targets,
    known_phrases,
    normalise,
    phrases_of,
    resolve,
    suggest,
    understand,
)
from xraykit.render import InputError


def test_every_name_is_recognised():
    for name, target in all_targets().items():
        assert resolve(name) == target
        for one in phrases_of(name):
            assert known_phrases()[normalise(one.text)] == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("l4 vertebra", "vertebrae_L4"),
        ("L-4", "vertebrae_L4"),
        ("FEMUR, LEFT", "femur_left"),
        ("R. kidney", "kidney_right"),
        ("rt 5th rib", "rib_right_5"),
        ("Oesophagus", "esophagus"),
        ("hemostatic clamps", "clamp"),
        ("left femurs", "femur_left"),
        ("kidneys", "kidney"),
        ("Please segment the left 5th rib in this chest X-ray.", "rib_left_5"),
        ("In this AP pelvis, outline L5", "vertebrae_L5"),
        ("the kneecap of the left leg", "patella_left"),
        ("the femur on the right side of the image", "femur_left"),
        ("I think the left clavicle is broken, show it", "clavicula_left"),
        ("Find the left femur, the long bone of the thigh.", "femur_left"),
    ],
)
def test_what_people_write_is_recognised(text, name):
    assert resolve(text).name == name


def test_what_is_not_known_is_answered_with_what_is_near():
    with pytest.raises(InputError, match=r"must name something known, got 'shoulder'; such as: left shoulder"):
        resolve("shoulder")


@pytest.mark.parametrize(
    ("text", "near"), [("left femor bone", "left femur"), ("clavical bones", "clavicle"), ("the left femor", "femur")]
)
def test_a_misspelt_bone_is_not_all_bones(text, near):
    with pytest.raises(InputError, match=rf"must name something known, got '{text}'; such as: .*{near}"):
        resolve(text)


@pytest.mark.parametrize("text", ["left femur bone", "bone of the left femur", "show me the left femur, a bone"])
def test_a_bone_that_is_called_a_bone_is_one_thing(text):
    assert resolve(text).name == "femur_left"
    assert resolve("rib bones").name == "ribs" and resolve("trace the bones").name == "bones"


def test_a_part_that_is_not_known_is_not_all_bones():
    with pytest.raises(InputError, match="must name something known, got 'bones of the left leg'"):
        resolve("bones of the left leg")


def test_two_things_are_asked_for_one_by_one():
    with pytest.raises(InputError, match="must name one thing, got femur_left and tibia_left"):
        resolve("left femur and left tibia")


def test_suggestions_begin_with_what_begins_so():
    assert suggest("fem")[:3] == ("femur", "left femur", "right femur")
    assert suggest("L4") == ("L4",) or suggest("L4")[0] == "L4"
    assert "heart" in suggest("hert") and suggest("") == ()
    assert len(suggest("left", 3)) == 3


def test_a_word_of_the_same_stem_is_near():
    assert suggest("humeral head", 1) == ("humerus",) and suggest("aortic arch", 1) == ("aorta",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not the liver", "must say what to find, got 'not'"),
        ("all ribs except the first", "must say what to find, got 'except'"),
        ("the liver without vessels", "got 'without'"),
        ("the bone right next to the left femur", "must name the thing itself, got 'next'"),
        ("left kidney right", "must name one side, got left and right"),
        ("lef femur", "got 'lef' in 'lef femur'; 'left' may be meant"),
        ("femur rigth", "'right' may be meant"),
        ("kidney, rihgt", "'right' may be meant"),
        ("letf patella", "'left' may be meant"),
    ],
)
def test_words_that_turn_a_prompt_are_not_passed_over(text, words):
    with pytest.raises(InputError, match=words):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "name", "over"),
    [
        ("patella alta", "patella", ("alta",)),
        ("neck of the left femur", "femur_left", ("neck",)),
        ("lower pole of the left kidney", "kidney_left", ("lower", "pole")),
        ("left liver", "liver", ("left",)),
        ("light femur", "femur", ("light",)),
        ("right femur on the right", "femur_right", ()),
        ("please show me the kneecap of the left leg here", "patella_left", ()),
    ],
)
def test_words_that_name_nothing_are_said(text, name, over):
    read = understand(text)
    assert read.target.name == name and read.passed_over == over
    assert bool(over) == bool(read.note(text)) and all(repr(word) in read.note(text) for word in over)
