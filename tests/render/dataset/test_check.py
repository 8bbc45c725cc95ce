"""Every way in which a data set can be damaged has a sentence, and a whole one has none."""

import io
import json
import tarfile

import numpy as np
import pytest
from support.dataset_shards import sample_members, tar_bytes, write_dataset, write_manifest
from xraykit.render import FileError
from xraykit.render.cli.umbrella import run
from xraykit.render.dataset.check import check_dataset
from xraykit.render.dataset.read.dataset import XrayDataset
from xraykit.render.dataset.read.tar import raw_samples

SHARD = "train-000000.tar"


def samples(*numbers) -> list[tuple[str, bytes]]:
    return [item for n in numbers for item in sample_members(n, 0, "train", size=8).items()]


def one_shard(folder, content, *, count=2, patients=(0, 1), **manifest):
    folder.mkdir(exist_ok=True)
    (folder / SHARD).write_bytes(content)
    write_manifest(folder, {SHARD: (content, count, list(patients))}, **manifest)
    return folder


def special(name, kind, target="") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_shards_of_two_types_of_cpu_are_counted_and_are_no_problem(tmp_path, capsys):
    folder = write_dataset(tmp_path / "set", {"train": [2, 2], "val": [2]}, views=2, size=8)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for shard, cpu in zip(manifest["shards"], ["AVX2", "AVX512", "AVX2"], strict=True):
        shard["cpu_type"] = f"x86_64, torch {cpu}"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    found = check_dataset(folder)
    told = "3 shards were made on 2 types of CPU (2 on x86_64, torch AVX2; 1 on x86_64, torch AVX512)"
    assert found.problems == ()
    assert len(found.warnings) == 1 and found.warnings[0].startswith(told)
    assert run(["dataset", "check", str(folder)]) == 0
    assert f"xraykit: warning: {folder}: {told}" in capsys.readouterr().err


def test_shards_of_one_type_of_cpu_need_no_warning(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [2, 2]}, views=2, size=8)
    assert check_dataset(folder).warnings == ()


def test_whole_data_set_has_no_problem(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [5, 3], "val": [4]}, size=8, lines=True)
    found = check_dataset(folder)
    assert found.problems == ()
    assert (found.shards, found.samples) == (3, 12)
    assert found.bytes == sum(path.stat().st_size for path in folder.glob("*.tar"))


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (("../outside.json", b"x"), r"'../outside.json', which is a path"),
        (("/etc/passwd.json", b"x"), r"'/etc/passwd.json', which is a path"),
        (("000002_0000/a.json", b"x"), "which is a path or no plain name"),
        (("..\\a.json", b"x"), "which is a path or no plain name"),
        ((".hidden", b"x"), "which is a path or no plain name"),
        (special("000002_0000.json", tarfile.SYMTYPE, "/etc/passwd"), "plain files only, .* is a link"),
        (special("000002_0000.json", tarfile.LNKTYPE, "../x"), "plain files only, .* is a link"),
        (special("000002_0000.json", tarfile.CHRTYPE), "plain files only, .* is a device"),
        (special("000002_0000.json", tarfile.BLKTYPE), "plain files only, .* is a device"),
        (special("000002_0000.json", tarfile.FIFOTYPE), "plain files only, .* is a pipe"),
        (special("000002_0000.json", tarfile.DIRTYPE), "plain files only, .* is a folder"),
        (special("000002_0000.json", tarfile.XHDTYPE), "plain files only, .* is of another kind"),
    ],
    ids=lambda value: None if isinstance(value, str) else "member",
)
def test_member_that_is_no_plain_file_is_refused_by_check_and_reader(tmp_path, member, words):
    folder = one_shard(tmp_path / "set", tar_bytes([*samples(0, 1), member]), count=3)
    with pytest.raises(FileError, match=words):
        check(folder)
    with pytest.raises(FileError, match=words):
        list(XrayDataset(folder))


@pytest.mark.parametrize("kept", [1100, 1536, 1700, -1])
def test_truncated_shard_is_refused(tmp_path, kept):
    whole = tar_bytes(samples(0, 1))
    end = len(whole.rstrip(b"\0")) // 512 * 512 + 512 if kept == -1 else kept
    folder = one_shard(tmp_path / "set", whole[:end])
    assert any("it was cut off" in problem for problem in check_dataset(folder).problems)
    with pytest.raises(FileError, match="it was cut off"):
        list(XrayDataset(folder))


def test_shard_shorter_than_the_manifest_says_is_refused(tmp_path):
    folder = one_shard(tmp_path / "set", tar_bytes(samples(0, 1)))
    (folder / SHARD).write_bytes((folder / SHARD).read_bytes()[:-512])
    for read in (lambda: list(XrayDataset(folder)), lambda: check(folder)):
        with pytest.raises(FileError, match="must have the 10240 bytes of the manifest, got 9728"):
            read()


def check(folder):
    raise FileError(" ".join(check_dataset(folder).problems))


def test_changed_byte_is_found_by_the_check_and_by_a_reader_that_verifies(tmp_path):
    folder = one_shard(tmp_path / "set", tar_bytes(samples(0, 1)))
    content = bytearray((folder / SHARD).read_bytes())
    content[512 + 60] ^= 1  # a pixel of the first image
    (folder / SHARD).write_bytes(content)
    assert len(list(XrayDataset(folder))) == 2
    with pytest.raises(FileError, match=r"must have the SHA-256 .* of the manifest, got"):
        list(XrayDataset(folder, verify=True))
    assert [p for p in check_dataset(folder).problems if "SHA-256" in p]


def test_damaged_header_is_refused(tmp_path):
    content = bytearray(tar_bytes(samples(0, 1)))
    content[130] ^= 1  # the length of the first member
    with pytest.raises(FileError, match="a header with a wrong checksum"):
        list(raw_samples(io.BytesIO(content), len(content), where="here"))
    content[257:262] = b"gnu  "
    with pytest.raises(FileError, match="must be a POSIX tar archive"):
        list(raw_samples(io.BytesIO(content), len(content), where="here"))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([*samples(0), *samples(0)], "comes again or late"),
        ([*samples(1), *samples(0)], "every key once and in ascending order"),
        ([*samples(0), *samples(1), *samples(0)], "every key once and in ascending order"),
    ],
)
def test_key_that_comes_twice_or_late_is_refused(tmp_path, members, words):
    folder = one_shard(tmp_path / "set", tar_bytes(members), count=3)
    assert any(words in problem for problem in check_dataset(folder).problems)
    with pytest.raises(FileError, match=words):
        list(XrayDataset(folder, order=None))


def test_duplicated_shard_is_found(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [2]}, size=8)
    content = (folder / SHARD).read_bytes()
    (folder / "train-000001.tar").write_bytes(content)
    assert any("train-000001.tar is not in the manifest" in p for p in check_dataset(folder).problems)
    write_manifest(folder, {SHARD: (content, 2, [0]), "train-000001.tar": (content, 2, [0])})
    problems = check_dataset(folder).problems
    assert any("train-000001.tar is the same file as train-000000.tar" in p for p in problems)
    assert any("must hold samples of its own, 000000_0000 is in train-000000.tar" in p for p in problems)


def test_patient_in_two_splits_is_found(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    shards = {}
    for split, view in (("train", 0), ("val", 1)):
        content = tar_bytes(sample_members(7, view, split, size=8).items())
        (folder / f"{split}-000000.tar").write_bytes(content)
        shards[f"{split}-000000.tar"] = (content, 1, [7])
    write_manifest(folder, shards)
    assert check_dataset(folder).problems == (
        "patient 7 must be in one split, the manifest has it in train and in val; tests on it would be too good.",
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 3}, "must hold the 3 samples of the manifest, got 2"),
        ({"patients": (0, 5)}, "says patient 1 of split 'train', which the manifest does not have"),
        ({"complete": False}, "the job has not finished"),
    ],
)
def test_manifest_that_disagrees_with_its_files_is_found(tmp_path, options, words):
    folder = one_shard(tmp_path / "set", tar_bytes(samples(0, 1)), **options)
    assert any(words in problem for problem in check_dataset(folder).problems)


def test_reader_wants_as_many_samples_as_the_manifest_says(tmp_path):
    folder = one_shard(tmp_path / "set", tar_bytes(samples(0, 1)), count=3)
    with pytest.raises(FileError, match="must hold more than 2 samples, as the manifest says, got 2"):
        list(XrayDataset(folder))


def test_unfinished_data_set_is_read_only_on_request(tmp_path):
    folder = one_shard(tmp_path / "set", tar_bytes(samples(0, 1)), complete=False)
    with pytest.raises(FileError, match=r"must be a finished data set.*allow_incomplete=True"):
        XrayDataset(folder)
    assert len(list(XrayDataset(folder, allow_incomplete=True))) == 2


def test_members_missing_and_areas_wrong_are_found(tmp_path):
    members = dict(samples(0, 1))
    record = json.loads(members["000001_0000.json"])
    record["annotations"][0]["area"] += 1
    members["000001_0000.json"] = json.dumps(record).encode()
    del members["000000_0000.masks.json"]
    problems = check_dataset(one_shard(tmp_path / "set", tar_bytes(members.items()))).problems
    assert len(problems) == 2
    assert "too few (['masks.json'])" in problems[0]
    assert "tells other areas than its masks have for femur_left" in problems[1]


SHARD_RECORD = {
    "name": SHARD, "split": "train", "sha256": "0" * 64, "bytes": 4096, "samples": 1, "patients": [0], "skipped": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("{", "must be JSON text"),
        ("[" * 100_000, "must be JSON text"),
        ("[]", "must hold one JSON object, got list"),
        ({"format": "webdataset"}, "got 'webdataset'"),
        ({"shards": {}}, "shards must be of type list"),
        ({"complete": 1}, "complete must be of type bool"),
        ({"shards": [1]}, "every shard must be an object"),
        ({"shards": [SHARD_RECORD, SHARD_RECORD]}, "every shard once, it lists train-000000.tar again"),
        ({"shards": [SHARD_RECORD | {"name": "../train-000000.tar"}]}, "must be named train-000000.tar, got"),
        ({"shards": [SHARD_RECORD | {"split": "val"}]}, "a shard of split 'val' must be named val-000000.tar"),
        ({"shards": [SHARD_RECORD | {"sha256": "x"}]}, "must be 64 hexadecimal digits"),
        ({"shards": [SHARD_RECORD | {"samples": True}]}, "samples must be of type int"),
        ({"shards": [SHARD_RECORD | {"samples": 10**9}]}, "cannot hold 1000000000 samples in 4096 bytes"),
        ({"shards": [SHARD_RECORD | {"cpu_type": 1}]}, "cpu_type must be of type str"),
        ({"shards": [SHARD_RECORD | {"cpu_type": "\x1b[2J"}]}, "cpu_type of train-000000.tar must be a short line"),
        ({"shards": [SHARD_RECORD | {"patients": ["a"]}]}, "patients of train-000000.tar must be whole numbers"),
        ({"shards": [SHARD_RECORD | {"skipped": [{}]}]}, "a list of patients with reasons"),
        ({"shards": [SHARD_RECORD]}, "must hold train-000000.tar, which is not there"),
    ],
)
def test_manifest_that_says_something_impossible_is_refused(tmp_path, change, words):
    if isinstance(change, str):
        (tmp_path / "manifest.json").write_text(change, encoding="utf-8")
    else:
        write_manifest(tmp_path, {}, **change)
    with pytest.raises(FileError, match=words.replace("[", r"\[")):
        check(tmp_path)


def test_address_without_a_data_set_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"must hold manifest.json, which is not there"):
        XrayDataset(tmp_path / "nothing")
    pytest.importorskip("fsspec", reason="needs the extra dataset")
    with pytest.raises(FileError, match=r"must hold manifest.json, which is not there"):
        XrayDataset("memory://nothing-here")
    with pytest.raises(FileError, match="must be an address that fsspec can open"):
        XrayDataset("nonsense://place")


def test_command_says_each_problem_and_exits_with_2(tmp_path, capsys):
    folder = write_dataset(tmp_path / "set", {"train": [3]}, size=8)
    assert run(["dataset", "check", str(folder)]) == 0
    assert "3 samples in 1 shards" in capsys.readouterr().out
    (folder / SHARD).unlink()
    assert run(["dataset", "check", str(folder)]) == 2
    said = capsys.readouterr()
    assert "must hold train-000000.tar, which is not there" in said.out
    assert "must be whole, got 1 problems" in said.err


def test_tissue_is_a_member_like_the_others_and_is_decoded(tmp_path):
    classes = np.arange(27, dtype=np.uint8).reshape(3, 3, 3) % 3
    folder = write_dataset(tmp_path / "set", {"train": [2]}, size=8, tissue=classes)
    assert check_dataset(folder).problems == ()
    members = sample_members(0, 0, "train", size=8, tissue=classes)
    without = tar_bytes((name, content) for name, content in members.items() if not name.endswith("tissue.bin"))
    (found,) = check_dataset(one_shard(tmp_path / "gone", without, count=1, patients=(0,))).problems
    assert "must have tissue.bin and its entry in the record, or neither" in found
    members["000000_0000.tissue.bin"] = b"no zlib"
    broken = one_shard(tmp_path / "broken", tar_bytes(members.items()), count=1, patients=(0,))
    (found,) = check_dataset(broken).problems
    assert "000000_0000.tissue.bin must be packed by zlib" in found
