"""A file is whole and on the disk before it takes its name; one that is not leaves the old one."""

import os

import pytest
from xraykit.render import OutputError
from xraykit.render.storage import write_atomically


def test_content_is_asked_onto_the_disk_before_it_takes_its_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.txt", []
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda file: seen.append((os.fstat(file).st_size, path.read_bytes())))
    write_atomically(path, lambda file: file.write(b"newer"))
    assert seen == [(5, b"old")]
    assert path.read_bytes() == b"newer"


def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    def full(file):
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"could not be written \(No space left on device\); nothing was left there"):
        write_atomically(path, lambda file: file.write(b"newer"))
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.txt", b"old")]
