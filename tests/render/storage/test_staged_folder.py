"""A folder of results appears whole or not at all: after an error, a refusal of the system, and a kill."""

import subprocess
import sys
from pathlib import Path

import pytest
from xraykit.render import FileError, OutputError
from xraykit.render.storage import atomic_folder


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def fill(folder, files, *, stop: BaseException | None = None, owned=None):
    """Write files by way of a staged folder; stop, if given, ends it half way."""
    with atomic_folder(folder, owned=owned) as staging:
        for name, text in files.items():
            (staging / name).parent.mkdir(exist_ok=True)
            (staging / name).write_text(text, encoding="utf-8")
        if stop is not None:
            raise stop


@pytest.fixture
def earlier(tmp_path):
    """A folder that holds an earlier result."""
    fill(tmp_path / "out", {"a.txt": "first", "b.txt": "first", "sub/c.txt": "first"})
    return tmp_path / "out"


def test_folder_appears_with_everything_and_the_folders_on_the_way(tmp_path):
    with atomic_folder(tmp_path / "new" / "out") as staging:
        (staging / "a.txt").write_text("one", encoding="utf-8")
        assert not (tmp_path / "new").exists() and staging.parent == tmp_path
    assert contents(tmp_path) == {"new/out/a.txt": "one"}


def test_earlier_folder_is_replaced_as_a_whole(earlier):
    fill(earlier, {"a.txt": "second"})
    assert contents(earlier.parent) == {"out/a.txt": "second"}


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), FileError("no such file.")])
@pytest.mark.parametrize("owned", [None, ("a.txt",)])
def test_what_stops_the_filling_is_raised_and_nothing_has_changed(earlier, error, owned):
    before = contents(earlier.parent)
    with pytest.raises(type(error)):
        fill(earlier, {"a.txt": "half"}, owned=owned, stop=error)
    assert contents(earlier.parent) == before
    assert [path.name for path in earlier.parent.iterdir()] == ["out"]


def test_refusal_of_the_system_is_a_sentence(earlier):
    with pytest.raises(OutputError, match=r"out could not be written \(No space left on device\)"):
        fill(earlier, {}, stop=OSError(28, "No space left on device"))


def test_earlier_folder_returns_if_the_new_one_cannot_take_its_place(earlier, monkeypatch):
    before, replace = contents(earlier.parent), Path.replace

    def refuse(path, target):
        if path.suffix == ".part":
            raise OSError(13, "Permission denied")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OutputError, match=r"could not be written \(Permission denied\)"):
        fill(earlier, {"a.txt": "second"})
    assert contents(earlier.parent) == before
    assert [path.name for path in earlier.parent.iterdir()] == ["out"]


def test_owned_files_are_replaced_or_removed_and_others_stay(earlier):
    (earlier / "mine.txt").write_text("mine", encoding="utf-8")
    fill(earlier, {"a.txt": "second", "d.txt": "second"}, owned=("a.txt", "b.txt"))
    assert contents(earlier) == {"a.txt": "second", "d.txt": "second", "mine.txt": "mine", "sub/c.txt": "first"}


def test_folder_in_place_of_an_owned_file_is_refused_before_anything_is_replaced(earlier):
    before = contents(earlier.parent)
    with pytest.raises(OutputError, match=r"sub must be a file to replace, got a folder; move it away"):
        fill(earlier, {"a.txt": "second"}, owned=("a.txt", "sub"))
    assert contents(earlier.parent) == before


def test_file_in_place_of_the_folder_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder, owned in ((tmp_path / "file" / "out", None), (tmp_path / "file", ("a.txt",))):
        with pytest.raises(OutputError, match="must be a folder that can be made, got the file"):
            fill(folder, {}, owned=owned, stop=AssertionError("it began"))


KILLED = """
import sys, time
from pathlib import Path
from xraykit.render.storage import atomic_folder
with atomic_folder(Path(sys.argv[1]), owned=eval(sys.argv[2])) as staging:
    (staging / "a.txt").write_text("half", encoding="utf-8")
    print("half way", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("owned", [None, ("a.txt", "b.txt")])
def test_killed_process_leaves_the_folder_as_it_was_and_the_next_goes_through(earlier, owned):
    before = contents(earlier)
    command = [sys.executable, "-c", KILLED, str(earlier), repr(owned)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half way\n"
        process.kill()
    assert {name: text for name, text in contents(earlier).items() if ".part/" not in name} == before
    fill(earlier, {"a.txt": "second"}, owned=owned)
    assert (earlier / "a.txt").read_text(encoding="utf-8") == "second"
    assert not (earlier / "b.txt").exists()
    assert [name for name in contents(earlier.parent) if ".part" in name] == []


BETWEEN = """
import os, sys
from pathlib import Path
from xraykit.render.storage import atomic_folder
replace = Path.replace
Path.replace = lambda path, target: os._exit(9) if path.suffix == ".part" else replace(path, target)
with atomic_folder(sys.argv[1]) as staging:
    (staging / "a.txt").write_text("second", encoding="utf-8")
"""


@pytest.mark.parametrize("name", ["out", ".out", "out.of.order"])
def test_a_folder_moved_aside_by_a_process_that_was_killed_is_put_back(earlier, name):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    folder = earlier.rename(earlier.parent / name)
    before = contents(folder)
    subprocess.run([sys.executable, "-c", BETWEEN, str(folder)], check=False)
    assert not folder.exists() and len(list(folder.parent.glob(f".{name}.*.old"))) == 1
    fill(folder.parent / "other", {"a.txt": "other"})
    assert contents(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([name, "other"])


def test_what_stands_in_the_place_of_a_folder_that_was_moved_aside_stays(earlier):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    before = contents(earlier)
    subprocess.run([sys.executable, "-c", BETWEEN, str(earlier)], check=False)
    earlier.mkdir()
    (earlier / "mine.txt").write_text("mine", encoding="utf-8")
    fill(earlier.parent / "other", {"a.txt": "other"})
    assert contents(earlier) == {"mine.txt": "mine"}
    (aside,) = earlier.parent.glob(".out.*.old")
    assert contents(aside) == before
