"""`xraykit corr annotations`: mistakes end in a sentence and change nothing."""

from __future__ import annotations

import pytest
from support.corr_annotations import annotated
from xraykit.render.cli.umbrella import run


def test_a_table_is_not_overwritten_by_what_is_made_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("image_a", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("t.csv")
    for output in (tmp_path / "t.csv", "link.json"):
        assert run(["corr", "annotations", "import", "./t.csv", "-o", str(output)]) == 2
        assert "--output must be another file than the table" in capsys.readouterr().err
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "image_a"


@pytest.mark.parametrize("grid", ["0", "-1", "129"])
def test_a_grid_has_1_to_128_patches_a_side(tmp_path, grid, capsys):
    path = annotated(tmp_path, samples=1)
    assert run(["corr", "annotations", "check", str(path), f"--grid={grid}"]) == 2
    assert f"--grid must be 1 to 128 patches a side, got {grid}" in capsys.readouterr().err


def test_what_was_imported_can_be_checked(tmp_path, capsys):
    annotated(tmp_path, samples=1)
    table = tmp_path / "t.csv"
    table.write_text("image_a,image_b,x_a,y_a,x_b,y_b,y\n0a.png,0b.png,1,2,3,4,1\n", encoding="utf-8")
    assert run(["corr", "annotations", "import", str(table), "-o", str(tmp_path / "new.json")]) == 0
    assert run(["corr", "annotations", "check", str(tmp_path / "new.json"), "--grid", "128"]) == 0
    said = capsys.readouterr().out
    assert "1 samples, 1 points" in said and "train: 1 samples, 1 patients, 1 positive, 0 negative" in said
