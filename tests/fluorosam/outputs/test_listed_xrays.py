"""Which X-rays files and folders hold: by content where the name does not say, each once, each with its own name."""

import pytest
from xraykit.fluorosam.outputs import list_xrays
from xraykit.render import FileError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep/deeper").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.PNG", "a.tiff", "deep/a.png", "deep/deeper/A.jpg", "notes.txt", ".hidden/c.png", ".d.png"):
        (tmp_path / name).write_bytes(b"any")
    (tmp_path / "deep/IM0001").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "deep/IM0002").write_bytes(b"\0" * 128 + b"none")
    return tmp_path


def test_a_folder_is_searched_deeply_for_what_may_be_xrays(folder):
    listed = list_xrays([folder])
    found = [one.path.relative_to(folder).as_posix() for one in listed]
    assert found == ["a.tiff", "b.PNG", "deep/IM0001", "deep/a.png", "deep/deeper/A.jpg"]
    assert [one.name for one in listed] == ["a", "b", "IM0001", "a_2", "A_3"] and all(one.found for one in listed)


def test_a_file_that_is_named_twice_is_taken_once_whatever_it_is(folder):
    listed = list_xrays([folder / "notes.txt", folder / "deep/../notes.txt", folder])
    assert listed[0].path == folder / "notes.txt" and not listed[0].found and len(listed) == 6


def test_a_very_long_name_is_cut(tmp_path):
    path = tmp_path / f"{'n' * 200}.png"
    path.write_bytes(b"any")
    assert list_xrays([path])[0].name == "n" * 80


def test_nothing_at_a_path_and_a_folder_without_xrays_are_refused(folder):
    with pytest.raises(FileError, match="does not exist"):
        list_xrays([folder / "gone"])
    (folder / "empty").mkdir()
    (folder / "empty/notes.txt").write_bytes(b"any")
    with pytest.raises(FileError, match="must hold X-rays"):
        list_xrays([folder / "empty"])
    with pytest.raises(FileError, match="must be a file or a folder"):
        list_xrays([folder / ("n" * 5000)])
