"""A folder, or numbered parts of it, is one process's at a time, and free again when that process is gone."""

import subprocess
import sys

import pytest
from xraykit.render import OutputError
from xraykit.render.storage import folder_parts, hold_folder, move_held_folder, release_folder

pytest.importorskip("fcntl", reason="locks of POSIX")
TRY = """
import sys
from xraykit.render.errors import OutputError
from xraykit.render.storage import folder_parts, hold_folder
folder, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
try:
    if first < 0:
        hold_folder(folder)
    else:
        with folder_parts(folder, first=first, count=count):
            pass
except OutputError as error:
    print(error)
"""


def said(folder, first=-1, count=0):
    """What another process hears that wants the folder, or parts of it."""
    command = [sys.executable, "-c", TRY, str(folder), str(first), str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_another_process_is_refused_until_the_folder_is_released(tmp_path):
    assert hold_folder(tmp_path) and not hold_folder(tmp_path)
    assert f"{tmp_path} must be free, got another job that writes there; wait for it" in said(tmp_path)
    release_folder(tmp_path)
    assert said(tmp_path) == ""


def test_parts_that_do_not_overlap_are_held_at_once(tmp_path):
    with folder_parts(tmp_path, first=3, count=2):
        assert [said(tmp_path, first, 2) == "" for first in (1, 2, 4, 5)] == [True, False, False, True]
        assert "must be free" in said(tmp_path)
    assert said(tmp_path) == ""


def test_a_process_that_died_holds_nothing(tmp_path):
    command = f"from xraykit.render.storage import hold_folder as h; h({str(tmp_path)!r}); import os; os._exit(9)"
    subprocess.run([sys.executable, "-c", command], check=False)
    assert (tmp_path / ".lock").exists()
    assert hold_folder(tmp_path)
    release_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused_elsewhere(tmp_path):
    assert not hold_folder(tmp_path / "missing")
    release_folder(tmp_path / "missing")


def test_an_error_within_the_block_frees_the_folder(tmp_path):
    with pytest.raises(OutputError, match="full"), folder_parts(tmp_path):
        raise OutputError("full")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_moved_is_free_under_its_last_name(tmp_path):
    (tmp_path / "work").mkdir()
    hold_folder(tmp_path / "work")
    with pytest.raises(OSError, match="missing"):
        move_held_folder(tmp_path / "work", tmp_path / "missing/done")
    assert "must be free" in said(tmp_path / "work")
    move_held_folder(tmp_path / "work", tmp_path / "done")
    assert said(tmp_path / "done") == "" and list((tmp_path / "done").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["done"]
