"""Shard files: bare headers, one order, equal bytes, and nothing half-written."""

import errno
import hashlib
import os
import tarfile

import pytest
from xraykit.render import InputError, OutputError
from xraykit.render.dataset.make.shard import write_shard

MEMBERS = [("000001_0000.image.tiff", b"II*"), ("000001_0000.json", b"{}"), ("000002_0003.json", b"x" * 600)]


def test_a_shard_holds_its_members_under_bare_headers(tmp_path):
    written = write_shard(tmp_path / "a.tar", MEMBERS)
    content = (tmp_path / "a.tar").read_bytes()
    assert (written.sha256, written.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert written.samples == 2
    with tarfile.open(tmp_path / "a.tar") as archive:
        found = [(member.name, archive.extractfile(member).read()) for member in archive.getmembers()]
        headers = {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode, m.type) for m in archive.getmembers()}
    assert found == MEMBERS
    assert headers == {(0, 0, 0, "", "", 0o644, tarfile.REGTYPE)}
    assert content[257:265] == b"ustar\x0000"


def test_the_same_members_give_the_same_bytes(tmp_path):
    assert write_shard(tmp_path / "a.tar", MEMBERS) == write_shard(tmp_path / "b.tar", iter(MEMBERS))


def test_a_shard_without_members_is_an_empty_archive(tmp_path):
    assert write_shard(tmp_path / "a.tar", []).samples == 0
    with tarfile.open(tmp_path / "a.tar") as archive:
        assert archive.getmembers() == []


@pytest.mark.parametrize(
    "names",
    [("b.json", "a.json"), ("a.json", "a.json"), ("a.json", "a.image"), ("../a.json",), (".json",), ("a",), ("a.",)],
)
def test_members_out_of_order_or_with_odd_names_are_refused(tmp_path, names):
    with pytest.raises(InputError, match=r"members must be named KEY\.ext in ascending order"):
        write_shard(tmp_path / "a.tar", [(name, b"") for name in names])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"a\.tar could not be written \(No space left on device\); nothing was left"):
        write_shard(tmp_path / "a.tar", MEMBERS)
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_members_are_made_leaves_nothing(tmp_path):
    def broken():
        yield MEMBERS[0]
        raise InputError("bad patient")

    with pytest.raises(InputError, match="bad patient"):
        write_shard(tmp_path / "a.tar", broken())
    assert list(tmp_path.iterdir()) == []
