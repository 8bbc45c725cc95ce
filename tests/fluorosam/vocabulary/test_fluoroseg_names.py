"""FluoroSeg's ids and groups, translated by name."""

import pytest
from xraykit.fluorosam.vocabulary import (
    FLUOROSEG_GROUPS,
    fluoroseg_category,
    fluoroseg_group,
    fluoroseg_labels,
    real_rib_name,
)
from xraykit.render import InputError
from xraykit.render.volumes import label_table

# As the published code lists them.
PUBLISHED = {"ribs_right": range(106, 116), "ribs_left": range(92, 106), "gluteus_right": (80, 81)}


def test_there_are_128_organs_and_one_tool():
    labels = fluoroseg_labels()
    assert len(labels) == 129 and len(set(labels.values())) == 129
    assert set(labels) == {*range(1, 118), *range(301, 312), 1000}
    assert labels[301] == "patella" and labels[311] == "phalanges_hand" and labels[1000] == "tool"


def test_ribs_have_the_old_order_and_the_rest_the_present_one():
    old, new = fluoroseg_labels(), label_table("totalsegmentator_v2")
    assert {old[n] for n in range(92, 116)} == {new[n] for n in range(92, 116)}
    assert (old[92], old[93], old[94], old[105], old[106], old[107], old[108]) == (
        *("rib_right_4", "rib_right_3", "rib_left_1", "rib_left_12", "rib_right_1", "rib_right_2", "rib_right_5"),
    )
    assert all(old[n] == new[n] for n in (*range(1, 92), *range(108, 118)))


def test_a_name_read_with_the_present_table_is_put_right():
    new = label_table("totalsegmentator_v2")
    for number, label in fluoroseg_labels().items():
        if number < 118:
            assert real_rib_name(new[number]) == label
    assert real_rib_name("tibia") == "tibia" and real_rib_name("tool") == "tool"
    with pytest.raises(InputError, match="label must be a known name, got 'rib_left_13'"):
        real_rib_name("rib_left_13")


def test_cut_organs_keep_their_label():
    assert fluoroseg_category("femur_left_cutoff_I") == ("femur_left", "I")
    assert fluoroseg_category(10_000) == ("spleen", "I") and fluoroseg_category(10_256) == ("phalanges_hand", "S")
    assert fluoroseg_category(92) == ("rib_right_4", "")
    for wrong in (0, 118, 312, 10_128, 10_257):
        with pytest.raises(InputError, match=f"got {wrong}"):
            fluoroseg_category(wrong)
    with pytest.raises(InputError, match="category must be a known name, got 'livr'; the nearest are liver"):
        fluoroseg_category("livr")


def test_the_wrong_groups_are_put_right():
    labels = fluoroseg_labels()
    as_published = {name: {labels[n] for n in ids} for name, ids in PUBLISHED.items()}
    assert fluoroseg_group("ribs_right") - as_published["ribs_right"] == {"rib_right_3", "rib_right_4"}
    assert as_published["ribs_left"] - fluoroseg_group("ribs_left") == {"rib_right_3", "rib_right_4"}
    assert as_published["gluteus_right"] == {"gluteus_maximus_left", "gluteus_maximus_right"}
    assert len(fluoroseg_group("gluteus_right")) == 3 and all("right" in m for m in fluoroseg_group("gluteus_right"))
    assert "sacrum" not in fluoroseg_group("pelvis") and len(FLUOROSEG_GROUPS) == 13
    with pytest.raises(InputError, match="group must be a known name, got 'spine'"):
        fluoroseg_group("spine")
