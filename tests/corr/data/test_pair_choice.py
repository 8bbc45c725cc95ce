"""Chosen views: every patient in every epoch, at angles in the range, now and then with a stranger."""

import pytest
import torch
from support.corr_views import write_views
from xraykit.corr.data import PairChoice, PairSettings, prepare_pairs, relative_angles
from xraykit.corr.data.pair_choice import allowed_pairs
from xraykit.render import InputError


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("choice")
    job = write_views(folder / "job", {"train": 5}, azimuths=(0.0, 20.0, 60.0, 120.0, 175.0))
    return prepare_pairs([job], folder / "store", size=16)


def test_angles_are_those_between_beams(store):
    found = relative_angles(store.projections[:5])
    e = torch.deg2rad(3.0 * torch.arange(5).double())
    a = torch.deg2rad(torch.tensor([0.0, 20, 60, 120, 175]).double())
    axes = torch.stack([e.cos() * a.sin(), e.cos() * a.cos(), e.sin()], dim=1)
    torch.testing.assert_close(found, torch.rad2deg(torch.acos((axes @ axes.T).clamp(-1, 1))), atol=1e-5, rtol=0)


def test_pairs_differ_by_an_angle_in_the_range_and_all_of_them_come(store):
    choice = PairChoice(store, PairSettings(unrelated=0.0, angles=(30.0, 150.0)))
    seen = set()
    for epoch in range(40):
        for place in range(len(choice)):
            (first, second), related = choice.item(epoch, place, seed=3)
            assert related and store.patient(first) == store.patient(second)
            assert 30 <= float(relative_angles(store.projections[[first, second]])[0, 1]) <= 150
            seen.add((first, second))
    wanted = {tuple(pair) for patient in range(5) for pair in allowed_pairs(store, patient, (30.0, 150.0)).tolist()}
    assert wanted <= seen and {(b, a) for a, b in wanted} <= seen  # in either order


def test_each_patient_comes_once_for_two_of_its_views_in_every_epoch(store):
    choice = PairChoice(store, PairSettings(unrelated=0.0))
    assert len(choice) == 10
    for epoch in range(3):
        patients = [store.patient(choice.item(epoch, place, seed=0).views[0]) for place in range(10)]
        assert sorted(patients) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_a_share_of_items_is_of_two_patients(store):
    choice = PairChoice(store, PairSettings(unrelated=0.3), patients=[0, 2, 3])
    items = [choice.item(epoch, place, seed=1) for epoch in range(80) for place in range(len(choice))]
    share = sum(not item.related for item in items) / len(items)
    assert 0.23 < share < 0.37
    for item in items:
        patients = [store.patient(view) for view in item.views]
        assert (patients[0] == patients[1]) == item.related and set(patients) <= {0, 2, 3}


def test_items_follow_from_seed_epoch_and_place_alone(store):
    one, other = (PairChoice(store, PairSettings(unrelated=0.2)) for _ in range(2))
    places = [(epoch, place) for epoch in range(3) for place in range(len(one))]
    backwards = {at: other.item(*at, seed=7) for at in reversed(places)}
    assert all(one.item(*at, seed=7) == backwards[at] for at in places)
    assert any(one.item(*at, seed=8) != backwards[at] for at in places)


def test_more_than_two_views_are_different_ones_of_a_patient(store):
    choice = PairChoice(store, PairSettings(unrelated=0.0, views_per_item=4))
    for place in range(len(choice)):
        views, _ = choice.item(0, place, seed=0)
        assert len(set(views)) == 4 and len({store.patient(view) for view in views}) == 1


def test_patients_without_such_a_pair_are_left_out(tmp_path):
    job = write_views(tmp_path / "job", {"train": 2}, azimuths=(0.0, 10.0))
    store = prepare_pairs([job], tmp_path / "store", size=16)
    with pytest.raises(InputError, match="seen in 2 views 30 to 150 degrees apart, got none among 2 patients"):
        PairChoice(store, PairSettings())
    assert PairChoice(store, PairSettings(angles=(5.0, 150.0))).left_out == []
    with pytest.raises(InputError, match="got none among 2 patients"):
        PairChoice(store, PairSettings(angles=(5.0, 150.0), views_per_item=3))
    with pytest.raises(InputError, match="patients must be numbers from 0 to 1"):
        PairChoice(store, PairSettings(angles=(5.0, 150.0)), patients=[2])
