"""Letters at the edges of an X-ray are those of a radiograph, whichever way it is turned or mirrored."""

import pytest
import torch
from xraykit.render import carm_pose
from xraykit.render.geometry import VIEWS
from xraykit.render.pictures.edge_letters import EdgeLetters, directions_at_edges

CENTER = torch.tensor([3.0, -20.0, 140.0], dtype=torch.float64)


def seen(**angles: float) -> torch.Tensor:
    return carm_pose(**angles, sod=720.0, isocenter=CENTER)


@pytest.mark.parametrize(
    ("view", "letters"),
    [
        ("ap", EdgeLetters("R", "L", "H", "F")),
        ("pa", EdgeLetters("R", "L", "H", "F")),
        ("lateral_left", EdgeLetters("P", "A", "H", "F")),
        ("lateral_right", EdgeLetters("A", "P", "H", "F")),
    ],
)
def test_edges_of_standard_views_carry_the_letters_of_a_radiograph(view, letters):
    """Frontal views are read facing the patient, so that R is on the viewer's left; see docs/geometry.md."""
    pose = seen(**VIEWS[view].angles)
    assert directions_at_edges(pose, mirrored=VIEWS[view].mirrored_display) == letters
    assert directions_at_edges(pose[0], mirrored=VIEWS[view].mirrored_display) == letters


def test_mirror_exchanges_left_and_right_letters_only():
    pose = seen(lao_rao=12.0, cra_cau=5.0, roll=70.0)
    plain, flipped = directions_at_edges(pose), directions_at_edges(pose, mirrored=True)
    assert flipped == EdgeLetters(plain.right, plain.left, plain.top, plain.bottom)


def test_oblique_direction_has_two_letters_the_nearer_first():
    letters = directions_at_edges(seen(lao_rao=30.0))
    assert (letters.left, letters.right) == ("LP", "RA")
    assert directions_at_edges(seen(lao_rao=20.0)).right == "R"
