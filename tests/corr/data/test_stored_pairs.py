"""Stored pairs: packed matrices come back, shards of strangers are read without trust."""

import io
import json
import tarfile
import zlib

import pytest
import torch
from xraykit.corr.data.pair_shards import decode_matrix, matrix_bytes, read_pair, shard_entries, write_pair_shard
from xraykit.render import FileError


def matrix(grid: int = 3) -> torch.Tensor:
    return torch.rand(grid**2, grid**2, generator=torch.Generator().manual_seed(0)) ** 2


@pytest.mark.parametrize("storage", ["bits", "uint8"])
def test_a_matrix_comes_back(storage):
    back = decode_matrix(matrix_bytes(matrix(), storage), 3, storage, "here")
    if storage == "bits":
        assert torch.equal(back, (matrix() > 0.5).float())
    else:
        torch.testing.assert_close(back, matrix(), atol=1 / 510 + 1e-6, rtol=0)


@pytest.mark.parametrize(
    ("content", "grid", "storage", "sentence"),
    [
        (b"no zlib", 3, "uint8", "must be packed by zlib"),
        (zlib.compress(bytes(80)), 3, "uint8", "must hold a matrix of 9 x 9"),
        (zlib.compress(bytes(82)), 3, "uint8", "must hold a matrix of 9 x 9"),
        (zlib.compress(bytes(81))[:-3], 3, "uint8", "must hold a matrix of 9 x 9"),
        (zlib.compress(bytes(81)), 3, "bits", "must hold a matrix of 9 x 9"),
        (zlib.compress(bytes(81)), 10**6, "uint8", "must have a grid of 1 to 128 and bits or uint8"),
        (zlib.compress(bytes(81)), None, "uint8", "must have a grid of 1 to 128 and bits or uint8"),
        (zlib.compress(bytes(81)), 3, "pickle", "must have a grid of 1 to 128 and bits or uint8"),
    ],
)
def test_a_damaged_matrix_is_refused(content, grid, storage, sentence):
    with pytest.raises(FileError, match=sentence):
        decode_matrix(content, grid, storage, "here")


def test_a_shard_gives_back_its_pairs_and_the_same_ones_give_the_same_bytes(tmp_path):
    rows = [(f"000000_00000{n}_000009", {"grid": 3, "storage": "uint8", "n": n}) for n in range(3)]
    pairs = [(key, record, matrix_bytes(matrix(), "uint8")) for key, record in rows]
    made = write_pair_shard(tmp_path / "train-000000.tar", "train", pairs)
    assert (made.name, made.split, made.pairs) == ("train-000000.tar", "train", 3)
    assert made.bytes == (tmp_path / made.name).stat().st_size
    found = list(shard_entries(tmp_path / made.name))
    assert [entry.key for entry in found] == [key for key, _ in rows]
    record, back = read_pair(tmp_path / made.name, found[1])
    assert record["n"] == 1
    torch.testing.assert_close(back, matrix(), atol=1 / 510 + 1e-6, rtol=0)
    assert write_pair_shard(tmp_path / "again.tar", "train", pairs).sha256 == made.sha256


def archive(path, members):
    with tarfile.open(path, "w") as file:
        for name, kind, content in members:
            header = tarfile.TarInfo(name)
            header.type, header.size, header.linkname = kind, len(content), "/etc/passwd"
            file.addfile(header, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([("../a.json", tarfile.REGTYPE, b"{}")], "must hold pairs alone, got '../a.json'"),
        ([("a.json", tarfile.SYMTYPE, b"")], "must hold pairs alone, got 'a.json'"),
        ([("a.pkl", tarfile.REGTYPE, b"")], "must hold pairs alone, got 'a.pkl'"),
        ([("a.json", tarfile.REGTYPE, b"{}")], "a must have a record and a matrix"),
        ([("a.json", tarfile.REGTYPE, bytes(70_000)), ("a.matrix.bin", tarfile.REGTYPE, b"")], "must have a record"),
    ],
)
def test_a_shard_of_other_things_is_refused(tmp_path, members, sentence):
    with pytest.raises(FileError, match=sentence):
        list(shard_entries(archive(tmp_path / "x.tar", members)))


def test_files_that_are_no_shards_are_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"hello" * 300)
    for name in ("x.tar", "nowhere.tar"):
        with pytest.raises(FileError, match="must be a shard of pairs"):
            list(shard_entries(tmp_path / name))
    made = archive(
        tmp_path / "y.tar",
        [("a.json", tarfile.REGTYPE, json.dumps({"grid": 3}).encode()), ("a.matrix.bin", tarfile.REGTYPE, b"")],
    )
    (entry,) = shard_entries(made)
    with pytest.raises(FileError, match=r"a.matrix.bin must have a grid of 1 to 128"):
        read_pair(made, entry)
