"""Groups: 38, none empty, known members, sides that mirror; and what of an image makes up a target."""

import pytest
from xraykit.fluorosam.vocabulary import (
    STRUCTURES,
    TARGET_GROUPS,
    TOOLS,
    absent_targets,
    all_targets,
    annotations_of,
    find_target,
    mirrored_name,
    present_targets,
    tool_kind,
)
from xraykit.render import InputError
from xraykit.render.meshes import INSTRUMENTS
from xraykit.render.volumes import find_labels, label_table


def test_there_are_38_groups_of_known_members():
    assert len(TARGET_GROUPS) == 38
    labels = {label for one in STRUCTURES.values() for label in one.labels}
    for group in TARGET_GROUPS.values():
        assert group.members and group.members <= labels | set(TOOLS) | {"tool", "screw"}


def test_groups_with_a_side_mirror():
    for name, group in TARGET_GROUPS.items():
        if group.side == "left":
            mirrored = {mirrored_name(member) for member in group.members}
            other = TARGET_GROUPS[mirrored_name(name)].members
            assert mirrored <= other and other - mirrored <= {"lung_middle_lobe_right"}


@pytest.mark.parametrize(
    "name",
    [
        "ribs",
        "ribs_left",
        "ribs_right",
        "rib_cage",
        "spine",
        "pelvis",
        "lungs",
        "lung_left",
        "lung_right",
        "vertebrae",
        "vertebrae_cervical",
        "vertebrae_thoracic",
        "vertebrae_lumbar",
        "shoulder_left",
        "gluteus_right",
        "bowel",
        "kidneys",
        "femora",
        "iliac_veins",
        "bones",
    ],
)
def test_groups_that_the_core_has_too_hold_the_same_labels(name):
    table = label_table("procedural")
    ours = {label for label in find_target(name).members if label in table.values()}
    assert ours == {table[value] for value in find_labels(table, name)}


def test_two_names_never_stand_for_the_same_set():
    sets = [target.members for target in all_targets().values()]
    assert len(sets) == len(set(sets))


def test_every_built_in_instrument_is_a_tool():
    assert set(INSTRUMENTS) <= set(TOOLS)


def test_an_unknown_target_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="target must be a known name, got 'rib_cages'; the nearest are rib_cage"):
        find_target("rib_cages")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("k_wire_2", "k_wire"),
        ("k-wire 1 left", "k_wire"),
        ("pedicle screw L4 left", "pedicle_screw"),
        ("plate femur right", "plate"),
        ("hip stem left", "hip_stem"),
        ("femoral component right", "femoral_component"),
        ("tibial component left", "tibial_component"),
        ("bracket_3", "bracket"),
    ],
)
def test_the_kind_of_a_tool_follows_from_its_name(name, kind):
    assert tool_kind(name) == kind


def test_a_target_is_the_union_of_its_annotations():
    names = ["hip_left", "hip_right", "k_wire", "k_wire_2", "plate"]
    kinds = ["organ", "organ", "tool", "tool", "tool"]
    found = present_targets(names, kinds)
    assert found["hip"] == found["pelvis"] == (0, 1) and found["hip_left"] == (0,)
    assert found["k_wire"] == (2, 3) and found["metal"] == (2, 3, 4) and "femur" not in found
    assert annotations_of(find_target("liver"), names, kinds) == ()


def test_what_is_present_is_what_each_target_finds():
    names = ["hip_left", "k-wire 1 left", "rib_left_4", "lung_left", "hip stem left", "patella", "bracket_2", "tool"]
    kinds = ["organ", "tool", "organ", "organ", "tool", "organ", "tool", "organ"]
    found = {name: annotations_of(target, names, kinds) for name, target in all_targets().items()}
    assert present_targets(names, kinds) == {name: indices for name, indices in found.items() if indices}


def test_a_label_without_side_answers_for_the_pair():
    assert present_targets(["patella"]) == present_targets(["patella"]) | {"patella": (0,)}
    assert "patella_left" not in present_targets(["patella"])


def test_what_surely_is_not_there():
    absent = set(absent_targets(["femur_left", "hip_left", "vertebrae_L5"], ["organ"] * 3))
    assert {"femur_right", "vertebrae_T1", "skull", "foot_left", "hip_stem"} <= absent
    assert not absent & {"femur_left", "femur", "hip", "pelvis", "long_bones", "bones"}
    assert "sacrum" not in absent and "hand_left" not in absent  # near enough to be there without a label
    assert absent_targets([]) == ()
