"""`xraykit corr match` and `query`: files in, a folder or places out; mistakes end in a sentence and write nothing."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from support.corr_matchers import BandNetwork, bone, write_views
from xraykit.corr.pictures import MatchFilesSettings
from xraykit.render.cli.umbrella import run
from xraykit.render.storage import read_settings


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """a.png (60 x 40), b.png (48 x 64), c.png (64 x 64), and a known network in place of the shipped one."""
    write_views(tmp_path, (60, 40), (48, 64), (64, 64))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("xraykit.corr.predictor.matcher.load_matcher", lambda source: BandNetwork())
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_match_writes_matches_pictures_and_settings(folder, capsys):
    assert run(["corr", "match", "a.png", "b.png", "c.png", "-o", "out", "--point", "A", "20", "45"]) == 0
    pictures = [f"matches_{pair}.png" for pair in ("A_B", "A_C", "B_C")]
    assert names(folder / "out") == ["heat.npz", "matches.json", *pictures, "points.png", "settings.json"]
    table = json.loads((folder / "out/matches.json").read_text(encoding="utf-8"))
    assert len(table["pairs"][0]["matches"]) == 30 and table["views"][1]["file"] == "b.png"
    said = capsys.readouterr().out
    assert "A-B: 30 matches, probability 0." in said and "overlap 0." in said and "wrote out" in said
    assert "note: A, B, C: polarity log_attenuation is assumed" in said
    again = read_settings(MatchFilesSettings, folder / "out/settings.json")
    assert again.point == (("A", 20.0, 45.0),)


def test_a_folder_stands_for_its_xrays_as_people_count_them_without_the_results_in_it(folder, capsys):
    (folder / "knee").mkdir()
    for name, new in (("a.png", "view10.png"), ("b.png", "view9.png")):
        shutil.move(folder / name, folder / "knee" / new)
    (folder / "knee/notes.txt").write_text("left knee", encoding="utf-8")
    for _ in range(2):
        assert run(["corr", "match", "knee", "-o", "knee/out"]) == 0
        assert capsys.readouterr().out.startswith("A view9.png\nB view10.png\nA-B: 30 matches")
    shutil.rmtree(folder / "knee/out")
    assert run(["corr", "query", "c.png", "knee", "--point", "20", "25"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("B view9.png\n") and "\nC view10.png\n" in said


def test_an_earlier_run_leaves_no_pictures_behind(folder):
    assert run(["corr", "match", "a.png", "b.png", "c.png", "-o", "out", "--point", "A", "20", "45"]) == 0
    (folder / "out/mine.txt").write_text("keep", encoding="utf-8")
    assert run(["corr", "match", "a.png", "b.png", "-o", "out", "--top", "4"]) == 0
    assert names(folder / "out") == ["heat.npz", "matches.json", "matches_A_B.png", "mine.txt", "settings.json"]


@pytest.mark.parametrize("table", [None, "no json", '{"schema": "mine"}'])
def test_pictures_that_no_earlier_run_has_made_are_kept(folder, table):
    (folder / "out").mkdir()
    mine = {"matches_mine_1.png", "matches_A_C.png", "points.png"}
    for name in mine:
        (folder / "out" / name).write_text("mine", encoding="utf-8")
    if table is not None:
        (folder / "out/matches.json").write_text(table, encoding="utf-8")
    assert run(["corr", "match", "a.png", "b.png", "-o", "out"]) == 0
    assert mine <= set(names(folder / "out"))


def test_several_points_are_taken(folder):
    points = ["--point", "A", "20", "45", "--point", "b", "30", "20"]
    assert run(["corr", "match", "a.png", "b.png", "-o", "out", *points]) == 0
    with Image.open(folder / "out/points.png") as picture:
        assert picture.size[0] > 800


def test_query_prints_places_of_the_other_views(folder, capsys):
    assert run(["corr", "query", "a.png", "b.png", "c.png", "--point", "20", "45", "-o", "where.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "B b.png" and lines[6] == "C c.png"
    probability, _, x, y = lines[1].split()
    assert 0 < float(probability) <= 1 and 0 <= float(x) <= 64 and float(y) == pytest.approx(40, abs=8)
    assert (folder / "where.png").is_file() and lines[-1] == "wrote where.png"


def test_query_from_another_view_without_a_picture(folder, capsys):
    assert run(["corr", "query", "a.png", "b.png", "--view", "B", "--point", "32", "24", "--top", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "A a.png"
    assert names(folder) == ["a.png", "b.png", "c.png"]


def test_same_file_twice_is_said(folder, capsys):
    assert run(["corr", "match", "a.png", "./a.png", "-o", "out"]) == 0
    assert "A and B are the same file, a.png" in capsys.readouterr().out


def test_doubtful_overlap_is_said(folder, capsys, monkeypatch):
    network = BandNetwork()
    network.scale.data.fill_(0.1)
    monkeypatch.setattr("xraykit.corr.predictor.matcher.load_matcher", lambda source: network)
    assert run(["corr", "query", "a.png", "b.png", "--point", "2", "3"]) == 0
    assert "A and B may not show the same part" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["match", "a.png", "-o", "out"], "two X-rays or more, got 1"),
        (["match", "empty", "-o", "out"], "empty must hold X-rays"),
        (["match", "a.png", "gone.png", "-o", "out"], "gone.png does not exist"),
        (["match", "a.png", "text.png", "-o", "out"], "must be an X-ray image"),
        (["match", "a.png", "colour.png", "-o", "out"], "must be grey"),
        (["match", "a.png", "flat.png", "-o", "out"], "the value 7 in every pixel"),
        (["match", "a.png", "b.png", "-o", "out", "--point", "A", "41", "3"], "must lie in a.png"),
        (["match", "a.png", "b.png", "-o", "out", "--point", "C", "4", "3"], "must be A or B"),
        (["match", "a.png", "b.png", "-o", "out", "--top", "0"], "must be 1 or more"),
        (["match", "a.png", "b.png", "-o", "a.png"], "must be a folder"),
        (["query", "a.png", "b.png", "--point", "4", "61"], "must lie in a.png"),
        (["query", "a.png", "b.png", "--point", "4", "3", "--view", "Z"], "must be A or B"),
        (["query", "a.png", "--point", "4", "3"], "two X-rays or more"),
        (["query", "a.png", "b.png", "--point", "4", "3", "-o", "where.jpg"], "must be a .png file"),
        (["query", "a.png", "b.png", "--point", "4", "3", "--top", "0"], "--top must be 1 or more"),
    ],
)
def test_mistakes_end_with_one_sentence_and_write_nothing(folder, capsys, arguments, words):
    (folder / "empty").mkdir()
    (folder / "text.png").write_text("no image", encoding="utf-8")
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(folder / "flat.png")
    Image.fromarray(np.stack([bone(), bone() // 2, bone() // 3], -1)).save(folder / "colour.png")
    before = names(folder)
    assert run(["corr", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said
    assert names(folder) == before


def test_settings_of_a_run_repeat_it(folder):
    assert run(["corr", "match", "a.png", "b.png", "-o", "out", "--top", "3", "--mutual"]) == 0
    first = (folder / "out/matches.json").read_bytes()
    shutil.move(folder / "out/settings.json", folder / "again.json")
    assert run(["corr", "match", "--config", "again.json"]) == 0
    assert (folder / "out/matches.json").read_bytes() == first
