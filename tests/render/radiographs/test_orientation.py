"""Mirror and quarter turns of a stored X-ray follow from Patient Orientation and the positioner angles."""

import pytest
import torch
from xraykit.render import Radiograph
from xraykit.render.radiographs import Origin, is_stored_mirrored, stored_roll


def xray(**facts: object) -> Radiograph:
    """A radiograph of which these tags are known."""
    return Radiograph(
        torch.ones(1, 4, 4), "intensity", provenance={name: Origin(value, "a tag") for name, value in facts.items()}
    )


# A PA beam (angles 0) seen from the tube has the patient's right on the right of the image, and the feet below.
@pytest.mark.parametrize(
    ("orientation", "mirrored", "roll"),
    [("R\\F", False, 0.0), ("L\\F", True, 0.0), ("L\\H", False, 180.0), ("R\\H", True, 180.0), ("F\\L", False, 90.0)],
)
def test_patient_orientation_decides_mirror_and_quarter_turns(orientation, mirrored, roll):
    found = xray(patient_orientation=orientation, lao_rao=0.0, cra_cau=0.0)
    assert is_stored_mirrored(found) == mirrored
    assert abs(stored_roll(found, mirrored=mirrored)) == roll


@pytest.mark.parametrize(("flip", "mirrored"), [("YES", True), ("NO", False), (None, None)])
def test_where_a_tag_is_missing_the_flip_tag_decides(flip, mirrored):
    facts = {} if flip is None else {"field_of_view_flip": flip}
    assert is_stored_mirrored(xray(**facts)) is mirrored
    assert stored_roll(xray(**facts), mirrored=bool(mirrored)) == 0.0


@pytest.mark.parametrize("orientation", ["", "R", "X\\F", "R\\F\\A"])
def test_orientation_that_names_no_two_directions_says_nothing(orientation):
    assert is_stored_mirrored(xray(patient_orientation=orientation, lao_rao=0.0, cra_cau=0.0)) is None


@pytest.mark.parametrize(("clockwise", "roll"), [(0.0, 0.0), (90.0, -90.0), (180.0, -180.0), (270.0, 90.0)])
def test_field_of_view_rotation_says_the_turn_where_no_orientation_does(clockwise, roll):
    assert stored_roll(xray(field_of_view_rotation=clockwise), mirrored=False) == roll
    both = xray(field_of_view_rotation=clockwise, patient_orientation="R\\F", lao_rao=0.0, cra_cau=0.0)
    assert stored_roll(both, mirrored=False) == 0.0
