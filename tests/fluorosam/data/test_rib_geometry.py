"""Ribs against their names: sides, levels, turned and mirrored pictures, views from the side."""

import pytest
import torch
from xraykit.fluorosam.data import check_rib_names, likely_rib_names
from xraykit.render import InputError

SIZE = 96
LEGACY = {
    "rib_right_4": "rib_left_1",
    "rib_right_3": "rib_left_2",
    "rib_right_1": "rib_right_3",
    "rib_right_2": "rib_right_4",
}
LEGACY |= {f"rib_left_{n}": f"rib_left_{n + 2}" for n in range(1, 11)}
LEGACY |= {"rib_left_11": "rib_right_1", "rib_left_12": "rib_right_2"}


def patch(x, y):
    mask = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    mask[int(y) - 2 : int(y) + 2, int(x) - 3 : int(x) + 3] = True
    return mask


def chest(spread=25, lungs=True):
    """Ribs 1 to 12 of a frontal picture: the patient's left at its right."""
    masks, labels = [], []
    for side, sign in (("left", 1), ("right", -1)):
        for level in range(1, 13):
            masks.append(patch(48 + sign * spread, 10 + 6 * level))
            labels.append(f"rib_{side}_{level}")
        if lungs:
            masks.append(patch(48 + sign * 0.8 * spread, 48))
            labels.append(f"lung_upper_lobe_{side}")
    return torch.stack(masks), labels


def exchanged(labels, first, second):
    other = {first: second, second: first}
    return [other.get(label, label) for label in labels]


@pytest.mark.parametrize("lungs", [True, False])
@pytest.mark.parametrize("turn", [lambda m: m, lambda m: m.flip(2), lambda m: m.rot90(1, (1, 2)), lambda m: m.flip(1)])
def test_right_names_agree_however_the_picture_is_turned(turn, lungs):
    masks, labels = chest(lungs=lungs)
    found = check_rib_names(turn(masks), labels)
    assert found.agrees and found.compared == 24 and found.pairs == 2 * 55 and found.errors == 0


def test_a_rib_of_the_other_side_is_named():
    masks, labels = chest()
    found = check_rib_names(masks, exchanged(labels, "rib_left_5", "rib_right_5"))
    assert set(found.sides) == {"rib_left_5", "rib_right_5"} and not found.levels


def test_levels_in_the_wrong_order_are_named():
    masks, labels = chest()
    found = check_rib_names(masks, exchanged(labels, "rib_left_2", "rib_left_9"))
    assert not found.sides and ("rib_left_2", "rib_left_9") in found.levels and not found.agrees


def test_the_legacy_order_under_today_s_names_is_recognised():
    masks, labels = chest()
    legacy = [LEGACY.get(label, label) for label in labels]
    assert not check_rib_names(masks, legacy).agrees
    assert likely_rib_names([(masks, legacy)]) == "legacy" and likely_rib_names([(masks, labels)]) == "as named"


def test_a_picture_from_the_side_says_nothing():
    masks, labels = chest(spread=2)
    assert check_rib_names(masks, labels).compared == 0 and likely_rib_names([(masks, labels)]) == "unclear"


def test_no_ribs_say_nothing():
    assert check_rib_names(torch.zeros(0, 8, 8, dtype=torch.bool), []) == check_rib_names(patch(5, 5)[None], ["liver"])
    with pytest.raises(InputError, match="one label for each of 1 masks, got 0"):
        check_rib_names(patch(5, 5)[None], [])
