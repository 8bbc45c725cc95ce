"""Annotations: what is written comes back, and what is impossible is refused with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from xraykit.corr.data.annotations import (
    SCHEMA,
    AnnotatedPair,
    AnnotatedPoint,
    AnnotatedSample,
    AnnotatedView,
    Annotations,
    read_annotations,
    write_annotations,
)
from xraykit.render import FileError, InputError

VIEWS = (AnnotatedView("p01/ap.png", (100, 80), "AP", "L"), AnnotatedView("p01/lat.png", (90, 70)))
MATCH = AnnotatedPoint((10.5, 20.25), (69.0, 0.0), True, 6.0, "radial styloid")
NO_MATCH = AnnotatedPoint((79.9, 99.9), (1.0, 2.0), False, negative_source="random")
SAMPLE = AnnotatedSample("s001", "p01", "train", VIEWS, (AnnotatedPair((0, 1), (MATCH, NO_MATCH)),), 1)


def written(folder: Path, change) -> Path:
    path = write_annotations(Annotations((SAMPLE,), folder), folder / "a.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content["samples"][0], content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_what_is_written_is_read_again(tmp_path):
    annotations = Annotations((SAMPLE, AnnotatedSample("s002", "p02", "val", VIEWS)), tmp_path)
    assert read_annotations(write_annotations(annotations, tmp_path / "a.json")) == annotations
    assert annotations.split("val")[0].id == "s002"


def test_the_file_has_the_published_form(tmp_path):
    content = json.loads(write_annotations(Annotations((SAMPLE,), tmp_path), tmp_path / "a.json").read_text("utf-8"))
    assert content["schema"] == "xcorr-annotations/1"
    sample = content["samples"][0]
    assert sample["views"][0] == {"file": "p01/ap.png", "size": [100, 80], "projection": "AP", "laterality": "L"}
    first, second = sample["pairs"][0]["points"]
    assert first == {"a": [10.5, 20.25], "b": [69.0, 0.0], "y": 1, "radius": 6.0, "name": "radial styloid"}
    assert second == {"a": [79.9, 99.9], "b": [1.0, 2.0], "y": 0, "neg_source": "random"}


def test_files_are_given_from_where_the_annotations_lie(tmp_path):
    (tmp_path / "notes").mkdir()
    path = write_annotations(Annotations((SAMPLE,), tmp_path), tmp_path / "notes" / "a.json")
    again = read_annotations(path)
    assert again.samples[0].views[0].file == "../p01/ap.png"
    assert (again.folder / again.samples[0].views[0].file).resolve() == tmp_path / "p01" / "ap.png"


def put(*keys, value):
    def change(sample, _):
        place = sample
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda _, content: content.update(schema="xcorr-annotations/2"), f'must say "schema": "{SCHEMA}"'),
        (lambda _, content: content.update(samples=3), "must have a list of samples, got int"),
        (lambda sample, _: sample.pop("patient"), "must have 'patient'"),
        (put("id", value=7), "id must be a text, got 7"),
        (put("label", value=2), "label must be 0, 1 or null, got 2"),
        (put("views", 0, "size", value=[0, 80]), "size must be"),
        (put("pairs", 0, "views", value=[0, 2]), "views of a pair must be two of 0 to 1, got 0 and 2"),
        (put("pairs", 0, "points", 0, "a", value=[81, 3]), r"must lie in p01/ap.png of 80 x 100 px, got \(81, 3\)"),
        (
            put("pairs", 0, "points", 0, "a", value=[1, 2, 3]),
            r"sample 0, pair 0, point 0, a must be \[x, y\], got \[1, 2, 3\]",
        ),
        (put("pairs", 0, "points", 0, "y", value=0.5), "y must be 1 for a match"),
        (put("pairs", 0, "points", 0, "radius", value=-1), "a radius must be 0 px or more, got -1"),
        (put("pairs", 0, "points", 1, "neg_source", value="guess"), "neg_source must be one of"),
        (put("views", value=None), "sample 0, views must be a list, got None"),
        (put("views", 0, value=3), "sample 0, view 0 must be an object, got 3"),
        (put("views", 0, "file", value="a\0.png"), "file must be a file's name of at most 1000 letters"),
        (put("views", 0, "file", value="a" * 1001), r"without a zero byte, got 'aaa.*\.\.\. of 1001 letters"),
        (put("views", 0, "file", value="\ud800.png"), "file must be text of whole letters, got half of one"),
        (put("id", value="\ud800"), "sample 0, id must be text of whole letters"),
        (put("views", 0, "size", value=[float("inf"), 80]), "size must be a whole number from 1 to .*, got inf"),
        (put("views", 0, "size", value=[float("nan"), 80]), "size must be a whole number"),
        (put("views", 0, "size", value=[10**400, 80]), r"size must be a whole number .*, got 1000.*\.\.\."),
        (put("views", 0, "size", value=[100.5, 80]), "size must be a whole number from 1 to .*, got 100.5"),
        (put("views", 0, "size", value=[True, 80]), "size must be a whole number from 1 to .*, got True"),
        (put("views", 0, "size", value="12"), "size must be a list of 2 values, got '12'"),
        (put("label", value=True), "label must be 0, 1 or null, got True"),
        (put("label", value=[]), r"label must be 0, 1 or null, got \[\]"),
        (put("pairs", value=None), "sample 0, pairs must be a list, got None"),
        (put("pairs", 0, "views", value=["0", 1]), "pair 0, views must be a whole number from 0 to .*, got '0'"),
        (put("pairs", 0, "views", value=[False, 1]), "views must be a whole number from 0 to .*, got False"),
        (put("pairs", 0, "points", 1, "y", value=True), "point 1, y must be 1 for a match and 0 for none, got True"),
        (put("pairs", 0, "points", 0, "a", value=["1", 2]), "x of .* point 0, a must be a finite number, got '1'"),
        (put("pairs", 0, "points", 0, "b", value=[1, 10**400]), "y of .* point 0, b must be a finite number, got 1000"),
        (put("pairs", 0, "points", 0, "b", value=[True, 1]), "b must be a finite number, got True"),
        (put("pairs", 0, "points", 0, "radius", value="6"), "radius must be a finite number, got '6'"),
        (put("pairs", 0, "points", 0, "radius", value=False), "radius must be a finite number, got False"),
        (put("pairs", 0, "points", 0, "name", value=[1]), r"name must be a text, got \[1\]"),
        (put("pairs", 0, "points", 0, value=7), "point 0 must be an object, got 7"),
    ],
)
def test_an_impossible_file_is_refused(tmp_path, change, sentence):
    with pytest.raises(FileError, match=sentence):
        read_annotations(written(tmp_path, change))


def test_a_patient_is_in_one_split(tmp_path):
    both = (SAMPLE, replace(SAMPLE, id="s002", split="test"))
    with pytest.raises(InputError, match="patient 'p01' must be in one split, got 'train' and 'test'"):
        write_annotations(Annotations(both, tmp_path), tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_an_id_is_unique(tmp_path):
    with pytest.raises(InputError, match="an id of its own, got 's001' twice"):
        write_annotations(Annotations((SAMPLE, SAMPLE), tmp_path), tmp_path / "a.json")


def test_an_image_has_one_size(tmp_path):
    other = replace(SAMPLE, id="s002", pairs=(), views=(replace(VIEWS[0], file="p01/./ap.png", size=(100, 81)),))
    with pytest.raises(InputError, match=r"'s002': an image must have one size, got .* of 80 x 100 and of 81 x 100 px"):
        write_annotations(Annotations((SAMPLE, other), tmp_path), tmp_path / "a.json")


def test_entries_of_the_same_two_views_become_one_with_points_turned(tmp_path):
    def split(sample, _):
        first, second = sample["pairs"][0]["points"]
        turned = {**second, "a": second["b"], "b": second["a"]}
        sample["pairs"] = [{"views": [0, 1], "points": [first]}, {"views": [1, 0], "points": [turned]}]

    assert read_annotations(written(tmp_path, split)).samples == (SAMPLE,)


@pytest.mark.parametrize("value", ["Infinity", "1e400", "-1e400", "NaN", "9" * 401])
def test_numbers_beyond_all_sizes_are_refused_as_they_stand_in_the_file(tmp_path, value):
    path = written(tmp_path, lambda *_: None)
    text = path.read_text(encoding="utf-8")
    for old in ("100", "10.5", "6.0"):
        assert old in text
        path.write_text(text.replace(old, value, 1), encoding="utf-8")
        with pytest.raises(FileError, match=r"sample 0, .* must be a (whole|finite) number"):
            read_annotations(path)
