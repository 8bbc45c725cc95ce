"""Study manifests: what is written is read again, and what cannot be learned from is refused in a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.corr_studies import write_pictures, write_study_set
from xraykit.corr.studies import LabelledStudy, StudyImage, check_trainable, read_studies, write_studies
from xraykit.render import FileError, InputError

HEAD = "study_id,patient_id,split,label,view_idx,path"


def table(folder, *rows, head=HEAD):
    path = folder / "studies.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_what_is_written_is_read_again_with_paths_from_the_folder_of_the_table(tmp_path):
    path = write_study_set(tmp_path / "set", each=2)
    studies = read_studies(path)
    assert [study.name for study in studies][:2] == ["train0", "train1"]
    assert studies[1].images[1] == StudyImage(tmp_path / "set" / "train1_1.png", 1, "lateral")
    assert "train0_0.png" in path.read_text("utf-8") and str(tmp_path) not in path.read_text("utf-8")
    again = write_studies(studies, tmp_path / "elsewhere.csv")
    assert [study.images[0].path.resolve() for study in read_studies(again)] == [s.images[0].path for s in studies]


def test_views_are_ordered_by_number_and_files_that_systems_leave_beside_them_are_ignored(tmp_path):
    write_pictures(tmp_path, ["b.png", "a.png"])
    path = table(tmp_path, "s,p,train,1,1,b.png", "s,p,train,1,0,a.png", "s,p,train,1,2,._a.png")
    (study,) = read_studies(path)
    assert [image.path.name for image in study.images] == ["a.png", "b.png"]


def test_studies_with_one_image_are_refused_by_name_or_skipped(tmp_path):
    write_pictures(tmp_path, ["a.png", "b.png", "c.png"])
    path = table(tmp_path, "s,p,train,1,0,a.png", "s,p,train,1,1,b.png", "lone,q,train,0,0,c.png")
    with pytest.raises(FileError, match="2 or more X-rays, got fewer in lone; skip these studies"):
        read_studies(path, min_images=2)
    assert [study.name for study in read_studies(path, min_images=2, skip_short=True)] == ["s"]


@pytest.mark.parametrize(
    "rows, sentence",
    [
        (["s,p,train,2,0,a.png"], "line 2: label must be 0 or 1, got '2'"),
        (["s,p,train,yes,0,a.png"], "label must be 0 or 1, got 'yes'"),
        (["s,p,train,1,-1,a.png"], "view_idx must be a whole number from 0 up, got '-1'"),
        (["s,p,train,1,0,a.png", "t,p,test,1,0,b.png"], "a patient must be in one split, got p in train and in test"),
        (["s,p,train,1,0,a.png", "s,p,train,0,1,b.png"], "a study must have one label, got 0 and 1 for s"),
        (["s,p,train,1,0,a.png", "s,p,train,1,0,b.png"], "numbers of their own, got one twice in s"),
        (["s,p,train,1,0,gone.png"], "list files that are there, got 1 missing: .*gone.png"),
        (["s,,train,1,0,a.png"], "line 2: patient_id must not be empty"),
        (["s,p,train,1,0"], "line 2: 6 values, got 5"),
        (["s,p,train,1," + "1" * 5000 + ",a.png"], r"line 2: view_idx must be a whole number .*, got '111.*'\.\.\.\.$"),
        (["s,p,train,1,0," + "a" * 5000], "list files that are there, got .*, which cannot be one: File name too long"),
        (["s,p,train,1,0,a\0.png"], "list files that are there, got"),
        ([], "studies with 1 or more X-rays, got none"),
    ],
)
def test_a_table_that_cannot_be_learned_from_is_refused(tmp_path, rows, sentence):
    write_pictures(tmp_path, ["a.png", "b.png"])
    with pytest.raises(FileError, match=sentence):
        read_studies(table(tmp_path, *rows))


def test_a_missing_column_and_a_missing_table_are_named(tmp_path):
    with pytest.raises(FileError, match=r"must have the columns study_id.*got none called label"):
        read_studies(table(tmp_path, head="study_id,patient_id,split,view_idx,path"))
    with pytest.raises(FileError, match="must be a study manifest, a CSV table in UTF-8, got: No such file"):
        read_studies(tmp_path / "none.csv")


@pytest.mark.parametrize("mark, name", [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_than_the_comma_is_named(tmp_path, mark, name):
    path = table(tmp_path, "s,p,train,1,0,a.png".replace(",", mark), head=HEAD.replace(",", mark))
    with pytest.raises(FileError, match=f"must have its columns separated by commas, got {name}"):
        read_studies(path)


def test_a_label_that_is_absent_from_a_split_is_refused():
    image = (StudyImage(Path("a.png"), 0),)
    studies = [LabelledStudy(f"{s}{n}", f"{s}{n}", s, n, image) for s in ("train", "val", "test") for n in (0, 1)]
    check_trainable(studies)
    with pytest.raises(InputError, match=r'"val" must have studies of both labels, got no positive \(label 1\) one'):
        check_trainable([study for study in studies if study.name != "val1"])
    with pytest.raises(InputError, match='the split "test" must have'):
        check_trainable([replace(study, split="train") if study.split == "test" else study for study in studies])
