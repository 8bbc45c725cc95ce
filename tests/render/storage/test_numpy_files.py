"""Arrays come back as numpy wrote them; headers that are cut, changed or boast end in one sentence."""

import zipfile

import numpy as np
import pytest
from support.damaged_arrays import CUT_HEADER, DECLARES_TOO_MUCH, npy, whole_npy
from xraykit.render import FileError
from xraykit.render.storage import numpy_files, open_npz, read_npy

SAYS = {"what": "numbers", "remedy": "make them again"}
HEAD = "{{'descr': {}, 'fortran_order': False, 'shape': {}}}\n"
DAMAGED = {
    "cut": CUT_HEADER,
    "three lines": npy("{'a':\n  1,\n 2L"),
    "brackets": npy("(" * 900),
    "signs": npy("-" * 9000 + "1"),
    "quotes": npy("{'descr': '''<f4\n"),
    "half a type": npy(HEAD.format("('<f4',)", "(1,)"), bytes(4)),
    "no type": npy(HEAD.format("'<x9'", "(1,)"), bytes(4)),
    "objects": npy(HEAD.format("'|O'", "(1,)"), bytes(8)),
    "nothing each": npy(HEAD.format("'|V0'", "(10000000000,)")),
    "negative": npy(HEAD.format("'<f4'", "(-1, -1)"), bytes(4)),
    "boast": DECLARES_TOO_MUCH,
    "beyond": npy(HEAD.format("'<f4'", f"({10**30},)"), bytes(16)),
    "version": npy(HEAD.format("'<f4'", "(1,)"), bytes(4), (3, 0)),
    "short": whole_npy(np.arange(9.0))[:-1],
    "long": whole_npy(np.arange(9.0)) + b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_arrays_are_refused_in_files_and_in_archives(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    for is_mapped in (False, True):
        with pytest.raises(FileError, match=r"a\.npy must hold numbers, got .*; make them again\.$"):
            read_npy(path, is_mapped=is_mapped, **SAYS)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("b.npy", content)
    with (
        open_npz(tmp_path / "a.npz", **SAYS) as arrays,
        pytest.raises(FileError, match=r"a\.npz must hold numbers, got b must be .*; make them again\.$"),
    ):
        arrays["b"]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.array(5, "u1"),
        np.array(["x", "yy"]),
        np.zeros((0, 3), ">i2"),
        np.ones(3, "?"),
    ],
    ids=["fortran", "one", "text", "none", "bits"],
)
def test_arrays_come_back_as_numpy_wrote_them(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", a=array, b=[1])
    with open_npz(tmp_path / "a.npz", **SAYS) as arrays:
        assert list(arrays) == ["a", "b"]
        assert "c" not in arrays
        packed = arrays["a"]
        with pytest.raises(FileError, match=r"must hold numbers, got a \.npz file without c; make them again"):
            arrays["c"]
    for found in (read_npy(tmp_path / "a.npy", **SAYS), packed, read_npy(tmp_path / "a.npy", is_mapped=True, **SAYS)):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
    assert packed.flags.writeable


def test_headers_of_the_second_version_are_read(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(3), version=(2, 0))
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy", **SAYS), np.arange(3))


def test_missing_and_other_files_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"must hold numbers, got .*No such file"):
        read_npy(tmp_path / "a.npy", **SAYS)
    for content in (b"", b"no zip", b"PK\x03\x04" + bytes(40)):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(FileError, match="must hold numbers, got"), open_npz(tmp_path / "a.npz", **SAYS):
            pass


def test_archives_that_unpack_to_too_much_or_in_other_ways_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(numpy_files, "ALWAYS_ALLOWED", 1000)
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(1 << 17))
    with (
        open_npz(tmp_path / "a.npz", **SAYS) as arrays,
        pytest.raises(FileError, match=r"got 10487\d\d bytes of a in \d+ packed ones"),
    ):
        arrays["a"]
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", whole_npy(np.zeros(1)))
    with open_npz(tmp_path / "b.npz", **SAYS) as arrays, pytest.raises(FileError, match="that numpy does not write"):
        arrays["a"]


def test_every_byte_of_an_archive_may_be_wrong(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(6))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    refused = 0
    for place in range(0, len(content), 2):
        changed = bytearray(content)
        changed[place] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(changed)
        try:
            with open_npz(tmp_path / "b.npz", **SAYS) as arrays:
                arrays["a"]
        except FileError:
            refused += 1
    assert refused > len(content) // 4  # dates and the like do not count
