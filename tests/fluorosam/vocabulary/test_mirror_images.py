"""Left and right are exchanged where a mirrored picture can be told from none, and nowhere else."""

import pytest
from xraykit.fluorosam.vocabulary import all_targets, is_one_sided, left_right


@pytest.mark.parametrize(
    ("target", "mirrored"),
    [
        ("femur_left", "femur_right"),
        ("rib_right_5", "rib_left_5"),
        ("ribs_left", "ribs_right"),
        ("lower_leg_right", "lower_leg_left"),
        ("femur", "femur"),
        ("sacrum", "sacrum"),
        ("metal", "metal"),
        ("k_wire", "k_wire"),
        ("own_screw_left", "own_screw_right"),
    ],
)
def test_sides_are_exchanged(target, mirrored):
    assert left_right(target) == mirrored


@pytest.mark.parametrize(
    "target", ["liver", "heart_atrium_left", "lung_middle_lobe_right", "lungs", "lung_left", "bowel"]
)
def test_organs_of_one_side_have_no_mirror_image(target):
    assert left_right(target) is None


def test_twice_exchanged_is_the_first_again():
    for target in all_targets():
        twin = left_right(target)
        assert twin is None or (twin in all_targets() and left_right(twin) == target)


def test_bones_have_two_sides():
    bones = all_targets()["bones"].members
    assert not any(is_one_sided(name) for name in bones)
