"""A matcher answers for every pair in pixels of the originals: a known network, and what it must then say."""

import json

import numpy as np
import pytest
import torch
from support.corr_matchers import BandNetwork, bone, write_views
from xraykit.corr.data import prepare_xray
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.network import MatcherConfig, new_matcher, save_matcher
from xraykit.corr.predictor import Matcher, view_letter, view_number
from xraykit.corr.predictor.point_heat import patch_of, patches_inside
from xraykit.render import InputError

SQUARE = XrayInputSettings(size=64)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_views(tmp_path_factory.mktemp("views"), (60, 40), (48, 64), (64, 64))


@pytest.fixture(scope="module")
def matches(files):
    return Matcher(BandNetwork()).match(files)


def test_every_pair_has_its_matrix_and_order_only_transposes_it(matches):
    assert matches.pairs == ((0, 1), (0, 2), (1, 2)) and matches.grid == 8
    assert matches.probability.shape == (3, 64, 64)
    assert torch.equal(matches.between(2, 1), matches.between(1, 2).T)


def test_pairs_alone_and_all_views_jointly_agree_where_the_network_does_not_look_aside(files, matches):
    network = BandNetwork()
    jointly = Matcher(network).match(files, jointly=True)
    assert network.passes == [3]
    torch.testing.assert_close(jointly.probability, matches.probability)


def test_rows_of_a_band_are_found_in_pixels_of_the_other_original(matches):
    """The network matches equal heights of the squares: y' - top' = (y - top) side' / side."""
    heat = matches.query(0, x=20.0, y=45.0)[1]
    height = (45.0 + 0) / 60  # of the square of A, which has its top at 0
    assert heat.map().shape == (48, 64)
    best = int(np.asarray(heat.map()).max(1).argmax())
    assert best == pytest.approx(height * 64 - 8, abs=64 / 8), "B's square begins 8 px above B"
    first = heat.places(1)[0]
    assert first.y == pytest.approx(height * 64 - 8, abs=8) and first.x == pytest.approx(32, abs=8)
    assert first.probability == pytest.approx(float(heat.probability.max()))


def test_a_point_on_the_far_border_lies_in_the_last_patch_that_shows_the_image():
    """In squares of 80 px and 8 patches, images of 40 px end between patches 5 and 6."""
    rng = np.random.default_rng(0)
    portrait, landscape = (prepare_xray(rng.uniform(1, 2, shape), SQUARE) for shape in ((80, 40), (40, 80)))
    assert patch_of(portrait, 8, 40.0, 80.0) == 7 * 8 + 5 and patch_of(portrait, 8, 0.0, 0.0) == 2
    assert patch_of(landscape, 8, 80.0, 40.0) == 5 * 8 + 7 and patch_of(landscape, 8, 0.0, 0.0) == 2 * 8
    assert bool(patches_inside(portrait, 8).flatten()[patch_of(portrait, 8, 40.0, 40.0)])


def test_places_are_no_neighbours_and_grow_worse(matches):
    places = matches.query(0, x=20.0, y=30.0)[2].places(6)
    assert [p.probability for p in places] == sorted((p.probability for p in places), reverse=True)
    for n, one in enumerate(places):
        for other in places[:n]:
            assert max(abs(one.x - other.x), abs(one.y - other.y)) >= 2 * 8 - 1e-6


def test_top_matches_are_the_largest_entries_and_may_share_a_patch(matches):
    top = matches.top(20, pair=(0, 1))
    allowed = [match.probability for match in matches.top(10_000, pair=(0, 1))]
    assert [match.probability for match in top] == sorted(allowed, reverse=True)[:20]
    assert len({match.a for match in top}) < 20, "many to many"
    assert matches.top(3)[3].views == (0, 2), "pair after pair"


def test_per_patch_and_mutual_thin_them_out(matches):
    for chosen in (matches.top(50, pair=(1, 2), per_patch=1), matches.top(50, pair=(1, 2), mutual=True)):
        assert len({match.a for match in chosen}) == len(chosen) == len({match.b for match in chosen}) > 3
    twice = matches.top(50, pair=(1, 2), per_patch=2)
    assert max(sum(match.a == other.a for other in twice) for match in twice) == 2


def test_threshold_leaves_out_what_is_less(matches):
    least = matches.top(30, pair=(0, 1))[10].probability
    assert all(match.probability >= least for match in matches.top(1000, pair=(0, 1), threshold=least))
    assert matches.top(threshold=1.0) == []


def test_padding_and_air_match_nothing(matches):
    """A (60 x 40) fills 5.33 of 8 columns; its outer tenth is air."""
    for match in matches.top(10_000, pair=(0, 1)):
        assert 0 <= match.a[0] <= 40 and 0 <= match.a[1] <= 60
        assert 0 <= match.b[0] <= 64 and 0 <= match.b[1] <= 48


def test_overlap_is_the_mean_best_probability_of_both_views():
    """Two halves of the same brightness: 1 where the bone is, and the two rows beyond match nothing."""
    images = [np.full((64, 64), 1.0), np.full((64, 64), 1.0)]
    for image in images:
        image[16:, :] = np.exp(-2.0)
    matches = Matcher(BandNetwork()).match(images)
    assert matches.overlap[0, 1] == pytest.approx(1.0, abs=0.02)
    assert matches.doubts == {}


def test_low_overlap_is_said(files):
    network = BandNetwork()
    network.scale.data.fill_(0.1)
    matches = Matcher(network).match(files[:2])
    assert matches.overlap[0, 1] < 0.1
    assert matches.doubts[0, 1].startswith("A and B may not show the same part (overlap 0.0")


def test_a_network_that_tells_the_chance_of_overlap_is_believed(files):
    network = new_matcher(MatcherConfig("mini", 8, 32, 32, layers=1, heads=2, norm="group", overlap_head=True))
    network.overlap_head.logit.bias.data.fill_(-2.0)
    for jointly in (False, True):
        matches = Matcher(network).match(files[:3], jointly=jointly)
        chances = [matches.overlap[pair] for pair in matches.pairs]
        assert chances == matches.chances.tolist() and max(chances) < 0.5
        assert set(matches.doubts) == set(matches.pairs)
    pair = Matcher(network).match(files[1:]).overlap[0, 1]
    assert pair == pytest.approx(Matcher(network).match(files[:3]).overlap[1, 2], abs=1e-6)


def test_saved_files_hold_every_probability(matches, tmp_path):
    table = json.loads(matches.save(tmp_path / "out", matches=matches.top(5)).read_text(encoding="utf-8"))
    assert [view["view"] for view in table["views"]] == ["A", "B", "C"] and table["views"][0]["size"] == [60, 40]
    assert [len(pair["matches"]) for pair in table["pairs"]] == [5, 5, 5]
    assert table["pairs"][0]["overlap"] == pytest.approx(matches.overlap[0, 1], abs=1e-4)
    with np.load(tmp_path / "out" / "heat.npz") as arrays:
        assert arrays["square_B"].tolist() == [0, -8, 64]
        np.testing.assert_allclose(arrays["probability_A_C"], matches.between(0, 2), atol=1e-3)


def test_arrays_are_called_by_their_letter():
    matches = Matcher(BandNetwork()).match([np.exp(-bone() / 100.0)] * 2)
    assert [xray.name for xray in matches.xrays] == ["X-ray A", "X-ray B"]


@pytest.mark.parametrize("xrays", [["a.png"], [], "a.png"])
def test_one_view_is_refused(xrays):
    with pytest.raises(InputError, match="matching needs two X-rays or more, got"):
        Matcher(BandNetwork()).match(xrays)


def test_points_outside_and_views_that_are_not_there_are_refused(matches):
    with pytest.raises(InputError, match=r"must lie in a\.png, 40 px wide and 60 px high, got x 41, y 3"):
        matches.query(0, 41.0, 3.0)
    with pytest.raises(InputError, match="view must be 0 to 2, got 3"):
        matches.query(3, 1.0, 1.0)
    with pytest.raises(InputError, match="view 1 twice"):
        matches.between(1, 1)


@pytest.mark.parametrize("options", [{"count": 0}, {"threshold": 1.5}, {"per_patch": 0}])
def test_numbers_outside_their_range_are_refused(matches, options):
    with pytest.raises(InputError, match="must be 1 or more"):
        matches.top(**options)


def test_too_many_views_are_refused_with_how_many_fit(files, monkeypatch):
    monkeypatch.setattr("xraykit.corr.predictor.memory.free_bytes", lambda device: 700_000)
    with pytest.raises(InputError, match=r"12 X-rays of 64 patches need about .* match at most 5 at a time"):
        Matcher(BandNetwork()).match(files * 4)
    monkeypatch.setattr("xraykit.corr.predictor.memory.free_bytes", lambda device: 1000)
    with pytest.raises(InputError, match="use a network with fewer patches"):
        Matcher(BandNetwork()).match(files[:2])


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="--device must be"):
        Matcher(BandNetwork(), device="abacus")


def test_letters_and_numbers_of_views_belong_together():
    assert [view_letter(n) for n in (0, 25, 26, 52)] == ["A", "Z", "A1", "A2"]
    assert [view_number(view_letter(n), 60) for n in range(60)] == list(range(60))
    assert view_number("b", 2) == 1
    with pytest.raises(InputError, match="a view must be A or B, in the order given, got 'C'"):
        view_number("C", 2)
    with pytest.raises(InputError, match="a view must be A to C, in the order given, got 'D'"):
        view_number("D", 3)


def test_weights_on_disk_are_loaded_and_say_how_x_rays_are_prepared(files, tmp_path):
    shape = {"stride": 8, "image_size": 32, "dimension": 16, "layers": 1, "heads": 2, "norm": "group"}
    config = MatcherConfig("mini", preprocess={"low": 2.0}, **shape)
    save_matcher(new_matcher(config), tmp_path / "weights")
    matcher = Matcher(tmp_path / "weights")
    assert (matcher.settings.size, matcher.settings.low, matcher.settings.high) == (32, 2.0, 99.0)
    matches = matcher.match(files)
    assert matches.grid == 4 and matches.probability.shape == (3, 16, 16)
    assert not matches.probability.requires_grad
    assert matches.network["weights"] == str(tmp_path / "weights")
    assert matches.network["config"]["module"] == "standard"
