"""Pictures of planes: a panel for each, one colour for a class, and files that are there whole or not at all."""

import sys

import numpy as np
import pytest
from support.dax_xrays import read_png
from xraykit.dax.pictures import plot_planes
from xraykit.dax.pictures.scatter import MARKERS, MOST_NAMED, SHADES, UNKNOWN, UNNAMED, _looks
from xraykit.render import InputError, OutputError
from xraykit.render.errors import BackendUnavailableError
from xraykit.render.pictures import colours

PLANE = np.random.default_rng(0).normal(size=(60, 2))


def test_each_class_is_drawn_in_its_colour(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    classes = ["knee"] * 30 + ["hip"] * 30
    path = plot_planes({"before": PLANE, "after": PLANE}, {"region": classes}, tmp_path / "p.png")
    picture = read_png(path)
    assert picture.shape[1] > 2 * picture.shape[0]  # two panels and a legend
    opaque = [np.abs(picture[..., :3].astype(int) - shade).max(2).min() for shade in colours(2)]
    assert max(opaque) < 60  # of 80 % opacity on white


def test_rows_follow_the_kinds_of_labels(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    one = read_png(plot_planes({"a": PLANE}, {"region": ["x"] * 60}, tmp_path / "one.png")).shape
    two = read_png(plot_planes({"a": PLANE}, {"region": ["x"] * 60, "view": ["y"] * 60}, tmp_path / "two.png")).shape
    bare = read_png(plot_planes({"a": PLANE}, {}, tmp_path / "bare.png")).shape
    assert two[:2] == (2 * one[0], one[1]) and bare[1] < one[1]


def test_no_two_of_ninety_classes_look_alike():
    looks = _looks([f"{n:03d}" for n in range(SHADES * len(MARKERS))])
    assert len({(look["color"], look["marker"]) for look in looks.values()}) == SHADES * len(MARKERS)


def test_what_is_not_stated_is_grey_and_lies_below():
    looks = _looks(["knee", "", "hip"])
    assert list(looks) == ["", "hip", "knee"] and looks[""]["label"] == UNKNOWN


def test_of_many_classes_the_largest_are_named():
    classes = [f"{n:03d}" for n in range(60) for _ in range(1 + (n >= 50))]
    looks = _looks(classes)
    assert sum(look["label"] != UNNAMED for look in looks.values()) == MOST_NAMED
    assert all(looks[f"{n:03d}"]["label"] == f"{n:03d}" for n in range(50, 60))


@pytest.mark.parametrize(
    ("planes", "labels"),
    [({}, {}), ({"a": PLANE[:, :1]}, {}), ({"a": PLANE}, {"region": ["x"]}), ({"a": PLANE, "b": PLANE[:3]}, {})],
)
def test_planes_and_labels_must_fit(tmp_path, planes, labels):
    with pytest.raises(InputError, match=r"planes must be \(N, 2\) with N labels"):
        plot_planes(planes, labels, tmp_path / "p.png")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")
    with pytest.raises(OutputError, match="existing folder"):
        plot_planes({"a": PLANE}, {}, tmp_path / "none" / "p.png")


def test_matplotlib_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendUnavailableError, match="needs matplotlib"):
        plot_planes({"a": PLANE}, {}, tmp_path / "p.png")
