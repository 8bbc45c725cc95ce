"""Annotations from a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest
from xraykit.corr.data.annotation_table import annotations_from_table
from xraykit.corr.data.annotations import AnnotatedPoint
from xraykit.render import FileError

HEADER = "patient,split,image_a,image_b,x_a,y_a,x_b,y_b,y,name\n"
ROWS = "p1,train,ap.png,lat.png,1,2,3,4,1,styloid\np1,train,lat.png,ap.png,5,6,7,8,0,\n"


def size_of(path: Path) -> tuple[int, int]:
    if path.name == "gone.png":
        raise FileError("gone.png does not exist.")
    return {"ap.png": (100, 80), "lat.png": (90, 70)}[path.name]


def table(folder: Path, text: str) -> Path:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return folder / "t.csv"


def test_rows_of_two_files_make_one_sample(tmp_path):
    annotations = annotations_from_table(table(tmp_path, HEADER + ROWS), size_of)
    (sample,) = annotations.samples
    assert [view.file for view in sample.views] == ["ap.png", "lat.png"]
    assert [view.size for view in sample.views] == [(100, 80), (90, 70)]
    (pair,) = sample.pairs
    assert pair.views == (0, 1)
    swapped = AnnotatedPoint((7, 8), (5, 6), False)  # the second row names the lateral view first
    assert pair.points == (AnnotatedPoint((1, 2), (3, 4), True, name="styloid"), swapped)


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path):
    text = "\ufeff" + (HEADER + ROWS).replace(",", ";")
    assert len(annotations_from_table(table(tmp_path, text), size_of).samples) == 1


@pytest.mark.parametrize(
    "text, sentence",
    [
        (HEADER, "must have rows below its header"),
        (HEADER.replace("x_a,", "") + ROWS, "must have the columns .* got none called x_a"),
        (HEADER + ROWS.replace(",1,styloid", ",yes,styloid"), "line 2: y must be 1 for a match"),
        (HEADER + ROWS.replace("lat.png,1,", "lat.png,left,"), "line 2: x_a must be a number, got 'left'"),
        (HEADER + "p1,train\n", "line 2: 10 values are needed, got 2"),
        (HEADER + '\n"a\nb",train,ap.png\n', "line 4: 10 values are needed, got 3"),
        (HEADER + "\n \n" + ROWS + "\np1,train\n", "line 7: 10 values are needed, got 2"),
        (HEADER + ROWS + 'p1,train,"ap.png,lat.png,1,2,3,4,1,\n\n', "line 4: .* what opens with a quote must end with"),
        (HEADER + ROWS.replace("ap.png,lat", ",lat"), r"t\.csv, line 2: image_a must not be empty\.$"),
        (HEADER + ROWS.replace("lat.png,ap.png", "lat.png, "), "line 3: image_b must not be empty"),
        (HEADER + ROWS.replace("lat.png,ap", "lat.png,gone"), r"t\.csv, line 3: gone\.png does not exist\.$"),
        (HEADER + ROWS.replace("ap.png,lat.png", "ap.png,ap.png"), "line 2: .* must be two images, got ap.png and ap"),
        (HEADER + ROWS.replace("ap.png,lat.png", "ap.png,./x/../ap.png"), "line 2: .* got ap.png and ./x/../ap.png"),
        (HEADER.replace("split", "y") + ROWS, "line 1: a column must have a name of its own, got y twice"),
        (HEADER + ROWS.replace("lat.png,1,", "lat.png,nan,"), "line 2: x_a must be a number, got 'nan'"),
        (HEADER + ROWS.replace("lat.png,ap", "lat.png,a\0"), "line 3: image_b must be a file's name"),
        (HEADER + ROWS.replace("lat.png,1,2", "lat.png,81,2"), "must lie in ap.png of 80 x 100 px"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path, text, sentence):
    with pytest.raises(FileError, match=sentence):
        annotations_from_table(table(tmp_path, text), size_of)


def test_one_sample_has_one_patient(tmp_path):
    text = "sample," + HEADER + "s," + ROWS.replace("\np1", "\ns,p2")
    with pytest.raises(FileError, match="line 3: sample 's' must have one patient"):
        annotations_from_table(table(tmp_path, text), size_of)


def test_an_image_spelled_two_ways_is_one(tmp_path):
    (sample,) = annotations_from_table(
        table(tmp_path, HEADER + ROWS.replace("\np1,train,", "\np1,train,./")), size_of
    ).samples
    assert [view.file for view in sample.views] == ["ap.png", "lat.png"]
    assert len(sample.pairs) == 1


def test_a_quoted_line_break_is_part_of_its_value(tmp_path):
    (sample,) = annotations_from_table(table(tmp_path, HEADER + ROWS.replace("styloid", '"a\nb"')), size_of).samples
    assert sample.pairs[0].points[0].name == "a\nb"
