"""Points from Slicer's files and from tables."""

import json

import pytest
import torch
from xraykit.render import Camera, FileError, InputError
from xraykit.xvr.start import read_image_points, read_world_points

CAMERA = Camera(sdd=1000.0, height=20, width=30, pixel_spacing=(0.5, 0.25))  # rows 0.5 mm, columns 0.25 mm


def markups(path, points, **changes):
    controls = [{"label": label, "position": place, "positionStatus": status} for label, place, status in points]
    markup = {"type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": "mm", "controlPoints": controls}
    path.write_text(json.dumps({"markups": [{**markup, **changes}]}), encoding="utf-8")
    return path


def fcsv(path, system, *rows):
    lines = ["# Markups fiducial file version = 4.11", f"# CoordinateSystem = {system}"]
    lines += ["# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID", *rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


ROW = "vtkMRMLMarkupsFiducialNode_0,{},0,0,0,1,1,1,0,{},,"


def test_lps_markups_become_ras(tmp_path):
    path = markups(tmp_path / "a.mrk.json", [("asis", [1.0, 2.0, 3.0], "defined")])
    assert torch.equal(read_world_points(path)["asis"], torch.tensor([-1.0, -2.0, 3.0], dtype=torch.float64))


def test_ras_markups_stay(tmp_path):
    path = markups(tmp_path / "a.mrk.json", [("asis", [1.0, 2.0, 3.0], "defined")], coordinateSystem="RAS")
    assert read_world_points(path)["asis"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(("system", "sign"), [("LPS", -1), ("1", -1), ("RAS", 1), ("0", 1)])
def test_fcsv_says_its_coordinate_system_by_name_or_number(tmp_path, system, sign):
    path = fcsv(tmp_path / "a.fcsv", system, ROW.format("1,2,3", "asis-l"))
    assert read_world_points(path)["asis-l"].tolist() == [sign * 1.0, sign * 2.0, 3.0]


def test_undefined_points_are_left_out(tmp_path):
    points = [("a", [1.0, 2.0, 3.0], "defined"), ("b", None, "undefined"), ("c", [0.0, 0.0, 0.0], "missing")]
    assert list(read_world_points(markups(tmp_path / "a.mrk.json", points))) == ["a"]


@pytest.mark.parametrize("points", [[], [("a", None, "undefined")]])
def test_empty_fiducials_are_refused(tmp_path, points):
    with pytest.raises(FileError, match="holds no placed point"):
        read_world_points(markups(tmp_path / "a.mrk.json", points))
    with pytest.raises(FileError, match="holds no placed point"):
        read_world_points(fcsv(tmp_path / "a.fcsv", "LPS"))


def test_a_name_twice_is_refused(tmp_path):
    with pytest.raises(FileError, match="each point once, got 'a' twice"):
        read_world_points(markups(tmp_path / "a.mrk.json", [("a", [0.0] * 3, "defined")] * 2))


@pytest.mark.parametrize("place", [[1.0, 2.0], [1.0, float("nan"), 2.0], "far away", None])
def test_a_position_that_is_none_is_refused(tmp_path, place):
    with pytest.raises(FileError, match="point 'a' must be 3 finite numbers"):
        read_world_points(markups(tmp_path / "a.mrk.json", [("a", place, "defined")]))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"coordinateSystem": "IJK"}, "RAS or LPS coordinates, got 'IJK'"),
        ({"coordinateUnits": "m"}, "millimetres, got"),
    ],
)
def test_other_frames_and_units_are_refused(tmp_path, changes, reason):
    with pytest.raises(FileError, match=reason):
        read_world_points(markups(tmp_path / "a.mrk.json", [("a", [0.0] * 3, "defined")], **changes))


def test_fcsv_without_coordinate_system_or_in_voxels_is_refused(tmp_path):
    with pytest.raises(FileError, match="got 'IJK'"):
        read_world_points(fcsv(tmp_path / "a.fcsv", "2", ROW.format("1,2,3", "a")))
    (tmp_path / "b.fcsv").write_text("a,1,2,3\n", encoding="utf-8")
    with pytest.raises(FileError, match="CoordinateSystem = LPS"):
        read_world_points(tmp_path / "b.fcsv")


@pytest.mark.parametrize("text", ["not json", "[1, 2]", '{"markups": []}', '{"markups": [{}, {}]}', '{"other": 1}'])
def test_json_that_holds_no_markups_is_refused(tmp_path, text):
    (tmp_path / "a.mrk.json").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=r"must be JSON text|one JSON object|one list of markups"):
        read_world_points(tmp_path / "a.mrk.json")


def test_missing_files_other_kinds_and_bytes_are_refused(tmp_path):
    with pytest.raises(FileError, match="was expected at"):
        read_world_points(tmp_path / "none.fcsv")
    with pytest.raises(FileError, match="must be a Slicer file"):
        read_world_points(tmp_path / "points.txt")
    (tmp_path / "a.fcsv").write_bytes("# CoordinateSystem = LPS\n1,2,3,4,Schädel\n".encode("latin1"))
    with pytest.raises(FileError, match="must be text in UTF-8 or UTF-16"):
        read_world_points(tmp_path / "a.fcsv")
    (tmp_path / "a.fcsv").write_text("# CoordinateSystem = LPS\n1;2,5;3,5;4,5\n")
    with pytest.raises(FileError, match="must separate its cells by commas, got semicolons"):
        read_world_points(tmp_path / "a.fcsv")


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_points_placed_in_slicer_become_pixels(tmp_path, system):
    # Column 4, row 6: 1 mm along L, 3 mm along P from the first pixel's centre.
    sign = 1.0 if system == "LPS" else -1.0
    path = fcsv(tmp_path / "a.fcsv", system, ROW.format(f"{sign * 1.0},{sign * 3.0},0", "tip"))
    assert read_image_points(path, CAMERA) == {"tip": (4.5, 6.5)}


def test_points_placed_on_a_picture_without_spacing_count_pixels(tmp_path):
    path = markups(tmp_path / "a.mrk.json", [("tip", [4.0, 6.0, 0.0], "defined")])
    assert read_image_points(path, CAMERA, unit="px") == {"tip": (4.5, 6.5)}


@pytest.mark.parametrize(
    "header", ["name,u,v\ntip,4.5,6.5", "name,column,row\ntip,4,6", "name,x_mm,y_mm\ntip,1.125,3.25"]
)
def test_three_headers_of_a_table_mean_the_same_pixel(tmp_path, header):
    (tmp_path / "a.csv").write_text(header + "\n\n", encoding="utf-8")
    assert read_image_points(tmp_path / "a.csv", CAMERA) == {"tip": (4.5, 6.5)}


def test_json_pixels(tmp_path):
    (tmp_path / "a.json").write_text('{"tip": [4.5, 6.5]}', encoding="utf-8")
    assert read_image_points(tmp_path / "a.json", CAMERA) == {"tip": (4.5, 6.5)}


@pytest.mark.parametrize("text", ["", "point,u,v\na,1,2", "name,u\na,1"])
def test_a_table_with_another_header_is_refused(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="must begin with the header name,u,v or name,column,row"):
        read_image_points(tmp_path / "a.csv", CAMERA)


def test_short_rows_other_kinds_and_units_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("name,u,v\ntip,1\n", encoding="utf-8")
    with pytest.raises(FileError, match="'tip' must be 2 finite numbers"):
        read_image_points(tmp_path / "a.csv", CAMERA)
    with pytest.raises(FileError, match="another kind of file"):
        read_image_points(tmp_path / "a.txt", CAMERA)
    with pytest.raises(InputError, match="unit must be mm or px"):
        read_image_points(tmp_path / "a.csv", CAMERA, unit="inch")


@pytest.mark.parametrize(("status", "kept"), [("2", True), ("0", False), ("1", False), ("3", False)])
def test_fcsv_points_that_slicer_calls_undefined_or_skipped_are_left_out(tmp_path, status, kept):
    rows = ROW.format("1,2,3", "asis-l") + ",2,0", ROW.format("0,0,0", "asis-r") + f",{status},0"
    assert ("asis-r" in read_world_points(fcsv(tmp_path / "a.fcsv", "LPS", *rows))) == kept


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.mrk.json", '{"markups": [{"controlPoints": 5}]}', "must hold a list of control points, got 5"),
        (
            "a.mrk.json",
            '{"markups": [{"controlPoints": [{"label": "a", "position": [1' + "0" * 400 + ", 1, 2]}]}]}",
            "point 'a' must be 3 finite numbers",
        ),
        (
            "a.fcsv",
            "# CoordinateSystem = LPS\n1," + "x" * 200_000,
            "table of points, got one that cannot be read .field",
        ),
        ("a.fcsv", "# CoordinateSystem = \x1b[31m\n1,2,3,4", r"must hold RAS or LPS coordinates, got '.x1b\[31m'"),
    ],
)
def test_damaged_lists_of_points_are_refused_in_one_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=message) as caught:
        read_world_points(tmp_path / name)
    assert len(str(caught.value)) < 300 + len(str(tmp_path)) and "\x1b" not in str(caught.value)


def test_damaged_tables_and_tables_of_pixels_are_refused_in_one_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("name,u,v\n" + "x" * 200_000 + ",1,2", encoding="utf-8")
    with pytest.raises(FileError, match="table of points, got one that cannot be read"):
        read_image_points(tmp_path / "a.csv", CAMERA)
    (tmp_path / "a.json").write_text('{"a": [1' + "0" * 400 + ", 1]}", encoding="utf-8")
    with pytest.raises(FileError, match="point 'a' must be 2 finite numbers"):
        read_image_points(tmp_path / "a.json", CAMERA)
