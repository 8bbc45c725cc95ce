"""A folder of tools with its list."""

from pathlib import Path

import pytest
import trimesh
from support.meshes import icosphere
from xraykit.render import FileError, InputError
from xraykit.render.scenes import read_tool_library


def folder(path: Path, text: str, *, name: str = "tools.yaml", count: int = 2) -> Path:
    ball = icosphere(9.0)
    for n in range(count):
        trimesh.Trimesh(ball.vertices.numpy() * (1 + n / 10), ball.faces.numpy()).export(path / f"ball{n}.stl")
    (path / name).write_text(text, encoding="utf-8")
    return path


YAML = """
- file: ball0.stl
  name: ball
  material: stainless_steel
  description: a steel ball
- {file: ball1.stl, scale: 2}
"""


def test_tools_are_named_described_and_scaled(tmp_path: Path) -> None:
    library = read_tool_library(folder(tmp_path, YAML))
    assert list(library) == ["ball", "ball1"] and len(library) == 2
    ball = library["ball"]
    assert (ball.name, ball.material, ball.description) == ("ball", "stainless_steel", "a steel ball")
    assert abs(float(library["ball1"].size[2]) - 2 * 1.1 * 18) < 1e-4 and library["ball"] is ball


def test_csv_says_the_same_as_yaml(tmp_path: Path) -> None:
    text = "file,name,material,description,scale\nball0.stl,ball,stainless_steel,a steel ball,\nball1.stl,,,,2\n"
    library = read_tool_library(folder(tmp_path, text, name="tools.csv"))
    (tmp_path / "tools.yaml").write_text(YAML)
    again = read_tool_library(tmp_path)
    assert library.entries == again.entries


def test_hundreds_of_tools_are_listed_without_reading_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(300):
        (tmp_path / f"t{n}.stl").write_bytes(b"")
    (tmp_path / "tools.csv").write_text("file\n" + "\n".join(f"t{n}.stl" for n in range(300)))
    monkeypatch.setattr("xraykit.render.scenes.tool_library.read_mesh", None)
    assert len(read_tool_library(tmp_path)) == 300


def test_broken_tool_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    library = read_tool_library(folder(tmp_path, YAML))
    (tmp_path / "ball1.stl").write_bytes(b"nothing")
    assert library["ball"].volume > 0
    with pytest.raises(FileError, match=r"tools.yaml, tool 'ball1': .*must be STL"):
        library["ball1"]
    with pytest.raises(InputError, match=r"lists 2 tools, none is called 'drill'; the first are ball, ball1"):
        library["drill"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {file: ball0.stl, colour: red}", "entry 1: expected file and any of name, material"),
        ("- {name: ball}", "entry 1: expected file"),
        ("- ball0.stl", "entry 1: expected file .* got 'ball0.stl'"),
        ("- file: ball0.stl\n- {file: ball1.stl, name: ball0}", "entry 2: names must be unique, got 'ball0' twice"),
        ("- {file: none.stl}", "entry 1: .*which is not in its folder"),
        ("- {file: ../ball0.stl}", "entry 1: .*inside its own folder"),
        ("- {file: ball0.stl, scale: -1}", "entry 1: scale must be a positive number of mm per unit, got -1"),
        ("- {file: ball0.stl, scale: big}", "entry 1: scale must be a number of mm per unit, got 'big'"),
        ("- {file: ball0.stl, name: 7}", "entry 1: name must be text, got 7; put it in quotes"),
        ("file: ball0.stl", "must hold a list of tools"),
        ("[]", "at least one tool, got none"),
        ("- {file: [", "readable list of tools, got"),
        ("- &a [*a]", "entry 1: expected file|readable list"),
        ("- {file: ball0.stl, file: ball1.stl}", "the key 'file' is given twice"),
    ],
)
def test_bad_lists_are_refused_by_entry(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        read_tool_library(folder(tmp_path, text))


def test_a_list_may_be_longer_than_a_file_of_settings(tmp_path: Path) -> None:
    folder(tmp_path, "[]")
    lines = (f"- {{file: ball0.stl, name: ball {number}, scale: 1e0}}" for number in range(3000))
    (tmp_path / "tools.yaml").write_text("\n".join(lines), encoding="utf-8")
    library = read_tool_library(tmp_path)
    assert len(library) == 3000 and library.entries["ball 2999"].scale == 1.0


def test_folder_without_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a folder with one of tools\.yaml, tools\.yml, tools\.csv"):
        read_tool_library(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{file: " + "A" * 5000 + "}", "names the data file 'A{50,200}, which is not in its folder"),
        ("{file: a.stl, scale: 1" + "0" * 400 + "}", "a whole number beyond 64 bits"),
    ],
)
def test_names_and_numbers_beyond_all_bounds_are_refused_briefly(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "tools.yaml").write_text(f"- {row}\n")
    with pytest.raises(FileError, match=message) as caught:
        read_tool_library(tmp_path)
    assert len(str(caught.value)) < 500
