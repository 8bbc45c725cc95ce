"""Marked pairs: what is added, changed, undone and saved, and that a file loses nothing."""

import json

import pytest
from support.corr_app import opened, written
from support.corr_matchers import write_views
from xraykit.corr.app.marked_pair import MarkedPair, ordered_pair, pairs_from_rows, rows_of_pairs
from xraykit.render import FileError, InputError, OutputError


@pytest.fixture
def folder(tmp_path):
    write_views(tmp_path, (60, 40), (48, 64), (64, 64))
    return tmp_path


def test_saved_file_is_the_format(folder):
    (folder / "sets").mkdir()
    session = opened(folder, file="sets/annotations.json", patient="p01", split="val")
    session.add(1, (30.0, 20.123), 0, (10.5, 20.25), radius=6.0, name="radial styloid")
    session.add(0, (1.0, 2.0), 1, (3.0, 4.0), is_match=False)
    assert session.save() == "s001" and session.is_saved
    assert written(folder / "sets/annotations.json") == {
        "schema": "xcorr-annotations/1",
        "samples": [
            {
                "id": "s001",
                "patient": "p01",
                "split": "val",
                "label": None,
                "views": [{"file": "../a.png", "size": [60, 40]}, {"file": "../b.png", "size": [48, 64]}],
                "pairs": [
                    {
                        "views": [0, 1],
                        "points": [
                            {"a": [10.5, 20.25], "b": [30.0, 20.12], "y": 1, "radius": 6.0, "name": "radial styloid"},
                            {"a": [1.0, 2.0], "b": [3.0, 4.0], "y": 0, "neg_source": "annotator"},
                        ],
                    }
                ],
            }
        ],
    }


def test_file_is_extended_and_nothing_in_it_is_lost(folder):
    """Unknown keys, other samples and pairs from elsewhere stay as they were."""
    first = opened(folder, patient="p01")
    first.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    first.save()
    table = written(folder / "annotations.json")
    table["samples"][0]["label"] = 1
    table["samples"][0]["views"][0]["projection"] = "AP"
    point = {"a": [9.0, 9.0], "b": [8.0, 8.0], "y": 0, "neg_source": "epipolar", "who": "reader 2"}
    table["samples"][0]["pairs"][0]["points"].append(point)
    other = {"id": "x9", "patient": "p02", "split": "test", "views": [{"file": "z.png"}], "pairs": [], "extra": [1]}
    table["samples"].append(other)
    (folder / "annotations.json").write_text(json.dumps(table), encoding="utf-8")
    again = opened(folder)
    assert [pair.is_match for pair in again.pairs] == [True, False] and again.is_saved
    again.add(0, (5.0, 6.0), 1, (7.0, 8.0))
    again.save()
    now = written(folder / "annotations.json")
    table["samples"][0]["pairs"][0]["points"].append({"a": [5.0, 6.0], "b": [7.0, 8.0], "y": 1})
    assert now == table


def test_other_xrays_become_another_sample(folder):
    for xrays in (["a.png", "b.png"], ["a.png", "c.png"]):
        session = opened(folder, xrays=[folder / name for name in xrays], patient="p01")
        session.add(0, (1.0, 2.0), 1, (3.0, 4.0))
        session.save()
    samples = written(folder / "annotations.json")["samples"]
    assert [sample["id"] for sample in samples] == ["s001", "s002"]
    assert [len(sample["pairs"][0]["points"]) for sample in samples] == [1, 1]


def test_views_come_in_the_order_of_the_sample(folder):
    first = opened(folder)
    first.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    first.save()
    again = opened(folder, xrays=[folder / "b.png", folder / "a.png"])
    assert [xray.name for xray in again.matches.xrays] == ["a.png", "b.png"]
    assert again.pairs[0].a == (1.0, 2.0)


def test_without_a_patient_the_sample_is_one(folder):
    session = opened(folder)
    session.save()
    (sample,) = written(folder / "annotations.json")["samples"]
    assert (sample["patient"], sample["split"]) == ("s001", "train")


def test_change_from_elsewhere_is_not_overwritten(folder):
    one, other = opened(folder), opened(folder)
    one.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    one.save()
    before = (folder / "annotations.json").read_bytes()
    other.add(0, (5.0, 6.0), 1, (7.0, 8.0))
    with pytest.raises(InputError, match="was changed since it was read; open the page again"):
        other.save()
    assert (folder / "annotations.json").read_bytes() == before and not other.is_saved


def test_samples_added_meanwhile_are_kept(folder):
    one, other = opened(folder), opened(folder, xrays=[folder / "a.png", folder / "c.png"])
    one.save()
    other.save()
    one.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    one.save()
    assert [sample["id"] for sample in written(folder / "annotations.json")["samples"]] == ["s001", "s002"]


def test_every_change_is_undone_in_turn(folder):
    session = opened(folder)
    session.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    session.add(0, (5.0, 6.0), 1, (7.0, 8.0))
    states = [session.pairs]
    for change in (lambda: session.mark(0, is_match=False), lambda: session.delete(1)):
        change()
        states.append(session.pairs)
    assert not session.pairs[0].is_match and len(session.pairs) == 1
    for state in reversed(states[:-1]):
        session.undo()
        assert session.pairs == state
    for _ in range(5):
        session.undo()
    assert session.pairs == () and session.is_saved


def test_points_marked_already_are_refused(folder):
    session = opened(folder)
    session.add(0, (1.0, 2.0), 1, (3.0, 4.0))
    for is_match in (True, False):
        with pytest.raises(InputError, match="must be new, got those of pair 1, a match; change or delete it"):
            session.add(1, (3.0, 4.0), 0, (1.0, 2.0), is_match=is_match)


@pytest.mark.parametrize(
    "points, words",
    [
        ((0, (41.0, 3.0), 1, (3.0, 4.0)), r"must lie in a\.png, 40 px wide and 60 px high, got x 41, y 3"),
        ((0, (1.0, float("nan")), 1, (3.0, 4.0)), r"must lie in a\.png"),
        ((0, (1.0, 2.0), 0, (3.0, 4.0)), "points of two views, got views 0 and 0"),
        ((0, (1.0, 2.0), 7, (3.0, 4.0)), "view must be 0 to 1, got 7"),
    ],
)
def test_points_that_make_no_pair_are_refused(folder, points, words):
    with pytest.raises(InputError, match=words):
        opened(folder).add(*points)


@pytest.mark.parametrize(
    "rest, words",
    [
        ({"radius": -0.1}, "0 px or more, got -0.1"),
        ({"name": "x" * 201}, "at most 200 letters"),
        ({"name": "\udc00"}, "a name must be text of whole letters"),
    ],
)
def test_radius_and_name_have_limits(folder, rest, words):
    with pytest.raises(InputError, match=words):
        opened(folder).add(0, (1.0, 2.0), 1, (3.0, 4.0), **rest)


@pytest.mark.parametrize("change", [lambda s: s.delete(0), lambda s: s.mark(-1, is_match=True)])
def test_pairs_that_are_not_there_are_refused(folder, change):
    with pytest.raises(InputError, match="there are 0 pairs"):
        change(opened(folder))


def test_a_patient_stays_in_one_split(folder):
    opened(folder, patient="p01", split="train").save()
    others = [folder / "a.png", folder / "c.png"]
    with pytest.raises(InputError, match="patient p01 must be in one split, got test and in sample s001 train"):
        opened(folder, xrays=others, patient="p01", split="test")
    assert opened(folder, xrays=others, patient="p01").sample.split == "train"
    with pytest.raises(InputError, match="has the patient p01, got --patient p02"):
        opened(folder, patient="p02")
    with pytest.raises(InputError, match="has the split train, got --split val"):
        opened(folder, split="val")


@pytest.mark.parametrize(
    "text, words",
    [
        ('{"schema": "xcorr-annotations/2", "samples": []}', "must have the schema xcorr-annotations/1"),
        ('{"samples": []}', "got None"),
        ('{"schema": "xcorr-annotations/1", "samples": [{"id": 3}]}', "a list of samples with their views"),
        ("no json", "must be JSON text"),
        ("[]", "one JSON object"),
    ],
)
def test_other_files_are_refused_and_left_alone(folder, text, words):
    (folder / "annotations.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=words):
        opened(folder)
    assert (folder / "annotations.json").read_text(encoding="utf-8") == text


def test_image_of_another_size_is_refused(folder):
    opened(folder).save()
    write_views(folder, (50, 40))
    with pytest.raises(InputError, match=r"a\.png must have the size \[60, 40\] .* got 50x40"):
        opened(folder)


def test_folder_that_cannot_be_made_is_refused(folder):
    (folder / "file").write_text("", encoding="utf-8")
    session = opened(folder, file="file/sub.json")
    with pytest.raises(OutputError, match="must be a folder"):
        session.save()


@pytest.mark.parametrize(
    "rows, words",
    [
        ([{"views": [0, 2], "points": []}], "must name views 0 to 1"),
        (
            [{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": 2}]}],
            "y must be 1 for a match and 0 for none, got 2",
        ),
        ([{"views": [0, 1], "points": [{"a": [1], "b": [1, 2], "y": 1}]}], r"point 0, a must be \[x, y\], got \[1\]"),
        ([{"views": [0, 1]}], "pair 0 must have 'points'"),
        ([{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": 1, "radius": -1}]}], "0 px or more"),
        (None, "annotations.json: pairs must be a list, got None; repair it first"),
        ([3], "pair 0 must be an object, got 3"),
        ([{"views": [0, True], "points": []}], "pair 0, views must be a whole number from 0 to .*, got True"),
        ([{"views": ["0", 1], "points": []}], "views must be a whole number from 0 to .*, got '0'"),
        ([{"views": [0, 10**400], "points": []}], "views must be a whole number from 0 to .*, got 1000"),
        ([{"views": [0, 1], "points": [{"a": [1, 10**400], "b": [1, 2], "y": 1}]}], "y of .* must be a finite number"),
        ([{"views": [0, 1], "points": [{"a": ["1", 2], "b": [1, 2], "y": 1}]}], "x of .* must be a finite number"),
        ([{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": True}]}], "y must be 1 for a match"),
        ([{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": 1, "radius": "4"}]}], "got '4'"),
        ([{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": 1, "radius": 10**400}]}], "a finite number"),
        ([{"views": [0, 1], "points": [{"a": [1, 2], "b": [1, 2], "y": 1, "name": 3}]}], "name must be a text, got 3"),
    ],
)
def test_pairs_that_cannot_be_read_are_refused(rows, words):
    with pytest.raises(FileError, match=words):
        pairs_from_rows(rows, count=2, place="annotations.json")


def test_rows_and_pairs_are_the_same_thing():
    pairs = [ordered_pair(2, (1.0, 2.0), 0, (3.0, 4.0), name="x"), ordered_pair(0, (1.0, 1.0), 1, (2.0, 2.0), radius=3)]
    rows = rows_of_pairs(pairs)
    assert [row["views"] for row in rows] == [[0, 1], [0, 2]]
    assert set(pairs_from_rows(rows, count=3, place="x")[0].views) == {0, 1}
    assert pairs_from_rows(rows, count=3, place="x") == [pairs[1], pairs[0]]


def test_a_negative_that_becomes_a_match_forgets_where_it_came_from():
    pair = MarkedPair((0, 1), (1.0, 1.0), (2.0, 2.0), is_match=False, more={"neg_source": "random"})
    assert rows_of_pairs([pair])[0]["points"][0]["neg_source"] == "random"
    assert "neg_source" not in rows_of_pairs([pair.marked(True)])[0]["points"][0]


@pytest.mark.parametrize(
    "sample, words",
    [
        ({"views": [{"file": "a\0"}]}, "sample 0, view 0, file must be a file's name"),
        ({"views": [{"file": "\ud800"}]}, "file must be text of whole letters"),
        ({"views": [{"file": "a" * 5000}]}, "of at most 1000 letters"),
        ({"views": [], "id": ["s001"]}, "sample 0, id must be a text"),
        ({"views": [], "patient": 3}, "sample 0, patient must be a text, got 3; repair it first"),
    ],
)
def test_names_that_no_file_or_patient_has_are_refused(folder, sample, words):
    text = json.dumps({"schema": "xcorr-annotations/1", "samples": [sample]})
    (folder / "annotations.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=words):
        opened(folder)


def test_a_size_that_is_none_is_refused(folder):
    opened(folder).save()
    table = written(folder / "annotations.json")
    table["samples"][0]["views"][0]["size"] = 60
    (folder / "annotations.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.png must have the size 60 .* got 60x40"):
        opened(folder)


def test_a_number_that_json_cannot_say_is_refused_and_the_file_left_alone(folder):
    session = opened(folder)
    session.save()
    table = written(folder / "annotations.json")
    table["samples"].append({"views": [], "extra": 1e999})
    before = json.dumps(table)
    (folder / "annotations.json").write_text(before, encoding="utf-8")
    with pytest.raises(FileError, match="must hold finite numbers alone"):
        session.save()
    assert (folder / "annotations.json").read_text(encoding="utf-8") == before
