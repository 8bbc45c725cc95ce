"""The table names every label, sides mirror, and a name that is not known is answered with the nearest."""

import pytest
from xraykit.fluorosam.vocabulary import STRUCTURES, find_structure, label_structures, mirrored_name
from xraykit.render import InputError
from xraykit.render.volumes import label_table

APPENDICULAR = "patella tibia fibula tarsal metatarsal phalanges_feet ulna radius carpal metacarpal phalanges_hand"


@pytest.mark.parametrize("table", ["totalsegmentator_v2", "totalsegmentator_v1", "procedural"])
def test_every_label_of_the_core_has_a_structure(table):
    labels = {one.name for one in label_structures()}
    assert not set(label_table(table).values()) - labels


def test_limb_bones_have_a_name_with_each_side_and_one_without():
    for base in APPENDICULAR.split():
        assert [find_structure(name).side for name in (f"{base}_left", f"{base}_right", base)] == [
            "left",
            "right",
            "both",
        ]
        assert STRUCTURES[base].labels == (f"{base}_left", f"{base}_right", base)


def test_the_two_of_a_pair_differ_in_side_alone():
    for one in STRUCTURES.values():
        if one.side in ("left", "right"):
            twin = find_structure(mirrored_name(one.name))
            assert {one.side, twin.side} == {"left", "right"}
            assert (one.base, one.words, one.level, one.body_part) == (
                twin.base,
                twin.words,
                twin.level,
                twin.body_part,
            )


def test_levels_are_those_of_the_names():
    assert {one.level for one in STRUCTURES.values() if one.noun == "vertebra"} == {
        name.removeprefix("vertebrae_") for name in STRUCTURES if name.startswith("vertebrae_")
    }
    assert find_structure("rib_left_5").level == find_structure("rib_5").level == "5"


def test_every_structure_has_a_word_for_training_and_the_first_one_is_usual():
    for one in STRUCTURES.values():
        assert not one.words[0].held_out and one.words[0].register == "clinical"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(
        InputError, match=r"structure must be a known name, got 'femur_lft'; the nearest are femur_left"
    ):
        find_structure("femur_lft")
