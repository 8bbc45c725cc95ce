"""The anatomical graph: every arrow has its counterpart, on both sides of the body."""

from xraykit.fluorosam.vocabulary import INVERSE, RELATIONS, STRUCTURES, Neighbour, mirrored_name, neighbours_of


def test_every_arrow_has_its_counterpart():
    for name in STRUCTURES:
        for relation, other in neighbours_of(name):
            assert Neighbour(INVERSE[relation], name) in neighbours_of(other)


def test_the_inverse_of_the_inverse_is_the_relation():
    assert set(INVERSE) == set(RELATIONS) and all(INVERSE[INVERSE[one]] == one != INVERSE[one] for one in RELATIONS)


def test_the_graph_of_the_left_is_the_mirror_image_of_that_of_the_right():
    for name, one in STRUCTURES.items():
        if one.side == "left":
            mirrored = {(relation, mirrored_name(other)) for relation, other in neighbours_of(name)}
            assert mirrored == set(neighbours_of(mirrored_name(name)))


def test_neighbours_are_those_of_the_anatomy_book():
    assert set(neighbours_of("vertebrae_L5")) == {("above", "vertebrae_L4"), ("below", "sacrum")}
    assert ("medial", "tibia_left") in neighbours_of("fibula_left")
    assert ("lateral", "radius") in neighbours_of("ulna")
    assert ("above", "skull") in neighbours_of("vertebrae_C1")
    assert ("above", "rib_right_4") in neighbours_of("rib_right_5")


def test_a_walk_down_the_spine_meets_all_levels_once():
    walk, here = [], "vertebrae_C1"
    while here != "sacrum":
        walk.append(here)
        (here,) = [other for relation, other in neighbours_of(here) if relation == "below"]
    assert len(walk) == len(set(walk)) == 24
