"""What is saved: a COCO table that loses nothing, a DICOM segmentation beside a DICOM file, a collimation box."""

import json

import numpy as np
import pydicom
import pytest
from support.fluorosam_app import opened, write_dicom, write_xrays, written
from support.soiled import is_soiled, soil, traces
from xraykit.fluorosam.app.endpoints import MaskEndpoints
from xraykit.render import FileError, OutputError
from xraykit.render.dataset.format.run_lengths import decode_run_lengths


@pytest.fixture
def folder(tmp_path):
    write_xrays(tmp_path)
    return tmp_path


def accepted(session, *texts):
    """The session with accepted masks of these words."""
    session.ask(texts)
    for mask in session.history.now.masks:
        session.accept(mask.number, accepted=True)
    return session


def test_accepted_masks_are_in_the_table_as_they_are(folder):
    session = accepted(opened(folder), "left femur", "all ribs")
    session.ask(["liver"])
    assert session.save() == "" and session.history.is_saved
    table = written(folder / "out/annotations.json")
    assert [(i["file_name"], i["height"], i["width"]) for i in table["images"]] == [("../a.png", 60, 40)]
    assert [c["name"] for c in table["categories"]] == ["femur_left", "ribs"], "what was not accepted is left out"
    mask = session.history.now.masks[0].answer.mask.numpy()
    first = table["annotations"][0]
    assert (first["area"], first["name"]) == (int(mask.sum()), "left femur")
    np.testing.assert_array_equal(decode_run_lengths(first["segmentation"]["counts"], mask.shape), mask)
    assert not list((folder / "out").glob("*.dcm")), "a picture has no DICOM segmentation"


def test_each_xray_is_replaced_by_itself(folder):
    session = accepted(opened(folder), "left femur", "all ribs")
    session.save()
    session.open(1)
    accepted(session, "all ribs", "liver")
    session.save()
    session.open(0)
    session.delete(1)
    assert not session.history.is_saved
    session.save()
    table = written(folder / "out/annotations.json")
    names = {c["id"]: c["name"] for c in table["categories"]}
    files = {i["id"]: i["file_name"] for i in table["images"]}
    rows = sorted((files[a["image_id"]], names[a["category_id"]]) for a in table["annotations"])
    assert rows == [("../a.png", "ribs"), ("../b.png", "liver"), ("../b.png", "ribs")]
    for key in ("images", "categories", "annotations"):
        numbers = [row["id"] for row in table[key]]
        assert len(set(numbers)) == len(numbers)


def test_an_earlier_session_is_said_and_extended_with_what_it_held(folder):
    accepted(opened(folder), "left femur").save()
    path = folder / "out/annotations.json"
    path.write_text(json.dumps({**written(path), "licenses": [{"id": 1}]}), encoding="utf-8")
    session = opened(folder)
    assert session.kept == {0} and "saving puts these in their place" in session.all_notes[-1]
    session.open(1)
    assert not any("in their place" in note for note in session.all_notes)
    accepted(session, "liver").save()
    table = written(path)
    assert len(table["images"]) == 2 and table["licenses"] == [{"id": 1}]


def test_a_name_that_a_person_gives_decides_the_category(folder):
    session = opened(folder)
    session.ask(["left femur", "liver"])
    session.point((8.5, 8.5), inside=True)
    session.rename(1, "right tibia")
    session.rename(2, "shadow")
    for number in (1, 2):
        session.accept(number, accepted=True)
    session.save()
    table = written(folder / "out/annotations.json")
    kinds = [(c["name"], c["supercategory"]) for c in table["categories"]]
    assert kinds == [("tibia_right", "structure"), ("shadow", "region")]


def test_dicom_gets_a_segmentation_of_its_own_geometry(tmp_path):
    files = [write_dicom(tmp_path / "x.dcm")]
    session = opened(tmp_path, files)
    session.ask(["left femur"])
    session.point((30.5, 20.5), inside=True)
    session.accept(1, accepted=True)
    assert session.save() == ""
    made, source = pydicom.dcmread(tmp_path / "out/x_seg.dcm"), pydicom.dcmread(files[0])
    assert (made.Rows, made.Columns) == (48, 64) and made.StudyInstanceUID != source.StudyInstanceUID
    assert made.SegmentSequence[0].SegmentLabel == "left femur"
    mask = session.history.now.masks[0].answer.mask.numpy()
    np.testing.assert_array_equal(made.pixel_array.reshape(48, 64) > 0, mask)
    session.delete(1)
    session.save()
    assert not (tmp_path / "out/x_seg.dcm").exists() and written(tmp_path / "out/annotations.json")["annotations"] == []


def test_nothing_that_the_page_writes_or_tells_names_anybody(tmp_path):
    path = write_dicom(tmp_path / "x.dcm")
    soil(dataset := pydicom.dcmread(path)).save_as(path)
    session = accepted(opened(tmp_path, [path]), "left femur")
    assert session.save() == "" and session.save_collimation(1, 5.0)
    assert len(list((tmp_path / "out").iterdir())) == 3 and traces(tmp_path / "out") == []
    assert traces(tmp_path) == ["x.dcm"] and not is_soiled(json.dumps(MaskEndpoints(session).state({})))
    assert dataset.PatientName != ""


def test_a_file_that_vanished_costs_the_segmentation_alone(tmp_path):
    files = [write_dicom(tmp_path / "x.dcm")]
    session = accepted(opened(tmp_path, files), "left femur")
    files[0].unlink()
    assert "no DICOM segmentation could be made" in session.save()
    assert written(tmp_path / "out/annotations.json")["annotations"][0]["name"] == "left femur"


def test_collimation_box_is_saved_in_pixels_and_millimetres(tmp_path):
    session = opened(tmp_path, [write_dicom(tmp_path / "x.dcm", spacing=0.5)])
    session.draw_box((20.0, 10.0, 40.0, 30.0))
    session.rename(1, "left kneecap")
    path = session.save_collimation(1, 5.0)
    table = written(path)
    assert path.name == "x_collimation.json" and table["structure"] == "left kneecap"
    assert (
        table["target"] == "patella_left" and table["size_px"] == [48, 64] and table["pixel_spacing_mm"] == [0.5, 0.5]
    )
    np.testing.assert_allclose(table["box_px"], [10, 0, 50, 40], atol=2)
    np.testing.assert_allclose(table["box_mm"], np.array(table["box_px"]) / 2, atol=1e-3)


def test_collimation_box_of_a_picture_has_no_millimetres(folder):
    session = opened(folder)
    session.draw_box((10.0, 10.0, 20.0, 30.0))
    table = written(session.save_collimation(1, 5.0))
    assert table["margin_unit"] == "px" and table["box_mm"] is None


@pytest.mark.parametrize("text", ["{}", "[]", '{"images": [{"id": "1"}], "categories": [], "annotations": []}', "x"])
def test_another_table_is_refused_and_left_alone(folder, text):
    session = accepted(opened(folder), "left femur")
    (folder / "out").mkdir()
    path = folder / "out/annotations.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=r"annotations\.json"):
        session.save()
    assert path.read_text(encoding="utf-8") == text and not session.history.is_saved
    with pytest.raises(FileError, match=r"annotations\.json"):
        opened(folder)


def test_a_place_that_cannot_be_written_is_refused_and_the_masks_stay(folder):
    session = accepted(opened(folder, out="a.png/out"), "left femur")
    for save in (session.save, lambda: session.save_collimation(1, 5.0)):
        with pytest.raises(OutputError, match="must be a folder"):
            save()
    assert not session.history.is_saved and len(session.history.now.masks) == 1
