"""Foreign checkpoints give tensors and plain values; code, bombs and damage are refused unexecuted and at once."""

import argparse
import os
import pickle
import zipfile

import pytest
import torch
from xraykit.render import FileError
from xraykit.render.weights import read_pickle


def archive(path, data: bytes):
    """A checkpoint archive around a pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", data)
        file.writestr("archive/version", "3\n")
    return path


def test_tensors_and_plain_values_come_back(tmp_path):
    content = {
        "model": torch.nn.Linear(2, 3).state_dict(),
        "half": torch.ones(2, dtype=torch.bfloat16),
        "parameter": torch.nn.Parameter(torch.arange(3.0)),
        "plain": [1, 2.5, None, True, "text", b"bytes", (torch.Size([1, 2]), torch.float16, torch.device("cpu"))],
    }
    torch.save(content, tmp_path / "a.pth")
    found = read_pickle(tmp_path / "a.pth")
    assert found["plain"] == content["plain"]
    for name in ("half", "parameter"):
        assert torch.equal(found[name], content[name]) and found[name].dtype == content[name].dtype
    assert torch.equal(found["model"]["weight"], content["model"]["weight"])


def test_tied_weights_and_views_of_them_are_read(tmp_path):
    tied = torch.arange(1000.0)
    torch.save({"a": tied, "b": tied, "c": tied.reshape(10, 100)}, tmp_path / "a.pth")
    found = read_pickle(tmp_path / "a.pth")
    assert found["a"].data_ptr() == found["b"].data_ptr() and torch.equal(found["c"].flatten(), tied)


def test_other_classes_are_refused_by_name_unless_they_are_allowed(tmp_path):
    torch.save({"args": argparse.Namespace(rate=0.1)}, tmp_path / "a.pth")
    with pytest.raises(FileError, match=r"other Python objects \(argparse\.Namespace\).*nothing of it was run"):
        read_pickle(tmp_path / "a.pth")
    assert read_pickle(tmp_path / "a.pth", allow=[argparse.Namespace])["args"].rate == 0.1


class Malware:
    """Unpickling it makes a file."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch '{self.target}'",)


@pytest.mark.parametrize("protocol", [2, 4])
def test_malware_is_named_and_not_run(tmp_path, protocol):
    path = archive(tmp_path / "evil.pth", pickle.dumps({"x": Malware(tmp_path / "made")}, protocol=protocol))
    with pytest.raises(FileError, match=r"\((posix|nt|os)\.system\)"):
        read_pickle(path)
    assert not (tmp_path / "made").exists()


def shared_lists(depth: int):
    value: list = ["x" * 8] * 10
    for _ in range(depth):
        value = [value] * 10
    return value


def test_lists_that_refer_to_one_list_over_and_over_are_refused(tmp_path):
    torch.save({"name": shared_lists(12)}, tmp_path / "a.pth")
    with pytest.raises(FileError, match="at most 1,000,000 entries, got lists in lists that unfold to more"):
        read_pickle(tmp_path / "a.pth")
    torch.save({"name": shared_lists(2)}, tmp_path / "b.pth")
    assert read_pickle(tmp_path / "b.pth")["name"] == shared_lists(2)


def test_tuples_that_take_no_end_to_hash_are_refused_before_they_are_made(tmp_path):
    """As the key of a dictionary, (t, t) of (t, t) of ... takes 2^60 steps to hash, in torch.load itself."""
    data = b"\x80\x02})q\x00"
    for k in range(60):
        data += b"h" + bytes([k]) + b"\x86q" + bytes([k + 1])  # get k, pair it with what is on the stack, keep it
    with pytest.raises(FileError, match="unfold to more"):
        read_pickle(archive(tmp_path / "a.pth", data + b"K\x01s."))


def test_a_list_within_itself_is_refused(tmp_path):
    endless: list = []
    endless.append(endless)
    torch.save({"a": endless}, tmp_path / "a.pth")
    with pytest.raises(FileError, match="nested at most 64 deep"):
        read_pickle(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.zeros(1).expand(10**9), r"data of their own, got shape \(1000000000,\) of 4 bytes"),
        ([torch.zeros(10_000)] * 50, "bytes of them that share"),
        (2**70, "numbers of at most 64 bits"),
        (torch.eye(3).to_sparse(), "Python objects|dense tensors"),
    ],
)
def test_values_larger_than_their_data_are_refused(tmp_path, value, message):
    torch.save({"a": value}, tmp_path / "a.pth")
    with pytest.raises(FileError, match=message):
        read_pickle(tmp_path / "a.pth")


def test_a_compressed_archive_is_refused_before_it_swells(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", b"0" * 10_000_000)
    with pytest.raises(FileError, match="must be uncompressed"):
        read_pickle(tmp_path / "a.pth")


def test_a_pickle_larger_than_any_checkpoint_has_is_refused(tmp_path):
    path = archive(tmp_path / "a.pth", b"\x80\x02" + b"N0" * (5 << 20) + b"N.")
    with pytest.raises(FileError, match="at most 8388608 bytes of other things"):
        read_pickle(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80\x02K\x01Q.", b"\x80\x02R.", b"\x80\x02X\x05", b"\x80\x02h\x05.", b"\x80\x02\xff", b"\x80\x02a."],
)
def test_pickles_that_are_none_are_refused(tmp_path, data):
    with pytest.raises(FileError, match="must"):
        read_pickle(archive(tmp_path / "a.pth", data))


def test_every_cut_and_many_flipped_bytes_give_a_sentence_or_the_content(tmp_path):
    torch.save({"w": torch.arange(4.0), "n": 3}, tmp_path / "a.pth")
    content = (tmp_path / "a.pth").read_bytes()
    damaged = [content[:cut] for cut in range(0, len(content), 97)]
    damaged += [content[:k] + bytes([content[k] ^ 0x41]) + content[k + 1 :] for k in range(0, len(content), 11)]
    refused = 0
    for data in damaged:
        (tmp_path / "b.pth").write_bytes(data)
        try:
            read_pickle(tmp_path / "b.pth")
        except FileError:
            refused += 1
    assert refused > len(damaged) // 4


def test_missing_legacy_and_too_large_files_are_refused(tmp_path):
    with pytest.raises(FileError, match="checkpoint was expected at"):
        read_pickle(tmp_path / "none.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(FileError, match="as a zip archive"):
        read_pickle(tmp_path / "old.pth")
    torch.save(torch.zeros(1000), tmp_path / "a.pt")
    with pytest.raises(FileError, match="must be at most 100 bytes"):
        read_pickle(tmp_path / "a.pt", largest=100)


def test_an_archive_with_a_second_pickle_or_a_name_twice_is_refused(tmp_path):
    path = archive(tmp_path / "a.pth", pickle.dumps({}, protocol=2))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("other/data.pkl", pickle.dumps({}, protocol=2))
    with pytest.raises(FileError, match="archive of another make"):
        read_pickle(path)
