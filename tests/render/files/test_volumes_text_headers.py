"""NRRD and MetaImage: the same voxels and affine as ITK reads; detached data stay inside the folder."""

import bz2
import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from xraykit.render import FileError, Volume
from xraykit.render.files.volumes import declared_grid

VOXELS = np.random.default_rng(3).integers(-1000, 2000, (4, 3, 5)).astype(np.int16)
RAW = VOXELS.astype("<i2").tobytes()
NRRD = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "5 3 4",
    "space directions": "(1.5,0,0) (0,2,0) (0,0,3)",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-10,-20,30)",
}
META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-10 -20 30",
    "ElementSpacing": "1.5 2 3",
    "DimSize": "5 3 4",
    "ElementType": "MET_SHORT",
}
RAS = np.array([[-1.5, 0, 0, 10], [0, -2, 0, 20], [0, 0, 3, 30], [0, 0, 0, 1.0]])


def nrrd(path: Path, data: bytes = RAW, **changes: str | None) -> Path:
    fields = {**NRRD, **{key.replace("_", " "): value for key, value in changes.items()}}
    lines = [f"{key}: {value}" for key, value in fields.items() if value is not None]
    path.write_bytes("\n".join(["NRRD0004", "# a comment", *lines, "", ""]).encode() + data)
    return path


def metaimage(path: Path, data: bytes = RAW, *, file: str = "LOCAL", **changes: str | None) -> Path:
    fields = {key: value for key, value in {**META, **changes}.items() if value is not None}
    lines = [f"{key} = {value}" for key, value in {**fields, "ElementDataFile": file}.items()]
    path.write_bytes("\n".join([*lines, ""]).encode() + data)
    return path


def refused(path: Path, match: str) -> None:
    with pytest.raises(FileError, match=match) as caught:
        Volume.from_file(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def holds(path: Path) -> None:
    volume = Volume.from_file(path)
    assert torch.equal(volume.hu, torch.from_numpy(VOXELS.astype(np.float32)))
    np.testing.assert_allclose(volume.affine, RAS)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nhdr", ".mhd"])
@pytest.mark.parametrize("compress", [False, True])
def test_voxels_and_affine_agree_with_itk_on_an_oblique_left_handed_grid(tmp_path, suffix, compress):
    turn = SimpleITK.Euler3DTransform((0, 0, 0), 0.3, -0.2, 1.1)
    direction = np.reshape(turn.GetMatrix(), (3, 3)) @ np.diag([1, -1, 1])
    image = SimpleITK.GetImageFromArray(VOXELS.astype(np.float32) + 0.25)
    image.SetDirection(direction.reshape(-1).tolist())
    image.SetSpacing((0.7, 1.3, 2.5))
    image.SetOrigin((12.0, -34.0, 56.0))
    path = tmp_path / f"ct{suffix}"
    SimpleITK.WriteImage(image, str(path), compress)
    volume = Volume.from_file(path)
    expected = np.diag([-1, -1, 1]) @ np.column_stack([direction * (0.7, 1.3, 2.5), image.GetOrigin()])
    np.testing.assert_allclose(volume.affine[:3], expected, atol=1e-5)
    assert torch.equal(volume.hu, torch.from_numpy(SimpleITK.GetArrayFromImage(image)))


def test_a_sheared_nrrd_is_read_exactly(tmp_path):
    affine = declared_grid(nrrd(tmp_path / "ct.nrrd", space_directions="(1,0,0) (0,2,-0.5) (0,0,3)")).affine
    np.testing.assert_allclose(affine[:3, :3], [[-1, 0, 0], [0, -2, 0], [0, -0.5, 3]])


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("raw", RAW), ("gzip", gzip.compress(RAW)), ("gz", gzip.compress(RAW)), ("bz2", bz2.compress(RAW))],
)
def test_nrrd_encodings(tmp_path, encoding, data):
    holds(nrrd(tmp_path / "ct.nrrd", data, encoding=encoding))
    (tmp_path / "ct.data").write_bytes(data)
    holds(nrrd(tmp_path / "ct.nhdr", b"", encoding=encoding, data_file="ct.data"))


@pytest.mark.parametrize("encoding", ["ascii", "text", "txt"])
def test_a_nrrd_of_written_numbers(tmp_path, encoding):
    lines = "\n".join(" ".join(map(str, row)) for row in VOXELS.reshape(-1, 5))
    holds(nrrd(tmp_path / "a.nrrd", lines.encode() + b"\n", encoding=encoding, endian=None))


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ("12 " * 59, "must hold 60 numbers as its header declares, it holds 59"),
        ("1 " * 61, "must hold 60 numbers as its header declares, it holds 61"),
        ("1 " * 59 + "x", "must hold int16 numbers, it holds something else"),
        ("1 " * 59 + "1.5", "must hold int16 numbers, it holds something else"),
        ("1 " * 59 + "99999", "must hold int16 numbers, some of its numbers are larger"),
        ("1 " * 59 + "9" * 30, "must hold int16 numbers"),
        ("1 " * 40, "must hold 60 written numbers as its header declares, it holds 80 bytes"),
        ("1 " * 60 + " " * 5000, "must hold 60 written numbers as its header declares, it holds 5120 bytes"),
    ],
)
def test_written_numbers_that_do_not_fit_the_header_are_refused(tmp_path, written, match):
    refused(nrrd(tmp_path / "a.nrrd", written.encode(), encoding="ascii"), match)


def test_nrrd_spaces_units_and_byte_order(tmp_path):
    big = VOXELS.astype(">i2").tobytes()
    holds(nrrd(tmp_path / "big.nrrd", big, endian="big"))
    flipped = {"space_directions": "(-1.5,0,0) (0,-2,0) (0,0,3)", "space_origin": "(10,20,30)"}
    holds(nrrd(tmp_path / "ras.nrrd", space="RAS", **flipped))
    flipped = {"space_directions": "(1.5,0,0) (0,-2,0) (0,0,3)", "space_origin": "(-10,20,30)"}
    holds(nrrd(tmp_path / "las.nrrd", space="left-anterior-superior", **flipped))
    small = {"space_directions": "(.15,0,0) (0,.2,0) (0,0,.3)", "space_origin": "(-1,-2,3)"}
    holds(nrrd(tmp_path / "cm.nrrd", space_units='"cm" "cm" "cm"', **small))


def test_nrrd_byte_skip_of_minus_one_takes_the_end_of_the_file(tmp_path):
    (tmp_path / "ct.raw").write_bytes(b"some vendor header" + RAW)
    holds(nrrd(tmp_path / "ct.nhdr", b"", data_file="ct.raw", byte_skip="-1"))
    holds(nrrd(tmp_path / "two.nhdr", b"", data_file="ct.raw", byte_skip="18"))


def test_metaimage_layouts(tmp_path):
    holds(metaimage(tmp_path / "ct.mha"))
    holds(metaimage(tmp_path / "z.mha", zlib.compress(RAW), CompressedData="True"))
    holds(metaimage(tmp_path / "big.mha", VOXELS.astype(">i2").tobytes(), BinaryDataByteOrderMSB="True"))
    holds(metaimage(tmp_path / "bare.mha", TransformMatrix=None, Offset=None, Origin="-10 -20 30"))
    (tmp_path / "ct.raw").write_bytes(b"vendor" + RAW)
    holds(metaimage(tmp_path / "a.mhd", b"", file="ct.raw", HeaderSize="-1"))
    holds(metaimage(tmp_path / "b.mhd", b"", file="ct.raw", HeaderSize="6"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    (tmp_path / "ct.raw").write_bytes(RAW)
    (tmp_path / "inner").mkdir()
    return tmp_path / "inner"


@pytest.mark.parametrize("kind", ["nhdr", "mhd"])
@pytest.mark.parametrize(
    "name", ["../ct.raw", "sub/../../ct.raw", "/etc/hostname", "C:\\ct.raw", "..\\ct.raw", "link.raw"]
)
def test_a_detached_header_may_not_point_outside_its_folder(outside, kind, name):
    (outside / "link.raw").symlink_to(outside.parent / "ct.raw")
    path = outside / f"ct.{kind}"
    if kind == "nhdr":
        nrrd(path, b"", data_file=name)
    else:
        metaimage(path, b"", file=name)
    refused(path, "must name a data file inside its own folder")


@pytest.mark.parametrize("kind", ["nhdr", "mhd"])
@pytest.mark.parametrize("name", ["LIST", "LIST 2", "../slice%03d.raw 1 10 1", "slice%d.raw 1 4 1"])
def test_lists_and_patterns_of_files_are_refused(outside, kind, name):
    path = outside / f"ct.{kind}"
    if kind == "nhdr":
        nrrd(path, b"../ct.raw\n", data_file=name)
    else:
        metaimage(path, b"../ct.raw\n", file=name)
    refused(path, "must name one data file, it names a list")


@pytest.mark.parametrize("kind", ["nhdr", "mhd"])
def test_a_missing_data_file_is_named(tmp_path, kind):
    path = tmp_path / f"ct.{kind}"
    if kind == "nhdr":
        nrrd(path, b"", data_file="gone.raw")
    else:
        metaimage(path, b"", file="gone.raw")
    refused(path, "names the data file 'gone.raw', which is not in its folder")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"sizes": "5 3 6"}, "must hold 180 bytes of voxels as its header declares, it holds only 120"),
        ({"sizes": "5 3 0"}, "three positive sizes"),
        ({"sizes": "5 -3 4"}, "three positive sizes"),
        ({"sizes": "99999 99999 99999"}, "more than the 2147483647"),
        ({"sizes": "5 3"}, "one volume of three axes"),
        ({"sizes": "five 3 4"}, "whole numbers in its field 'sizes'"),
        ({"sizes": None}, "must declare its NRRD field 'sizes'"),
        ({"dimension": "4", "sizes": "2 5 3 4"}, "one volume of three axes, it declares dimension 4"),
        ({"type": "block"}, "must hold real numbers, its NRRD type is 'block'"),
        ({"endian": None}, "must declare 'endian: little' or 'endian: big'"),
        ({"encoding": "hex"}, "must be encoded raw, gzip, bzip2 or ascii, it says 'hex'"),
        ({"encoding": "gzip"}, "gzip data|must hold"),
        ({"encoding": "bzip2"}, "bzip2 data"),
        ({"space": "scanner-xyz"}, "must lie in a patient space"),
        ({"space_directions": "(1,0,0) (0,1,0)"}, "three space directions"),
        ({"space_directions": "(1,0,0) (0,1,0) none"}, r"as \(x,y,z\), got 'none'"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,0,nan)"}, "finite numbers"),
        ({"space_directions": "(1,0,0) (1,0,0) (0,0,1)"}, "three independent voxel axes"),
        ({"space_directions": "(1,0,0) (0,x,0) (0,0,1)"}, "must give numbers"),
        ({"space_origin": "(0,0)"}, r"as \(x,y,z\)"),
        ({"space_units": '"furlong" "mm" "mm"'}, "must measure space in mm, cm, m or um"),
        ({"byte_skip": "-2"}, "without line skip"),
        ({"line_skip": "3"}, "without line skip"),
        ({"byte_skip": "1000000"}, "it holds only 0"),
    ],
)
def test_a_bad_nrrd_header_is_refused(tmp_path, changes, match):
    refused(nrrd(tmp_path / "ct.nrrd", **changes), match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"DimSize": "5 3 6"}, "must hold 180 bytes of voxels as its header declares, it holds only 120"),
        ({"DimSize": "5 0 4"}, "three positive sizes"),
        ({"DimSize": "99999 99999 99999"}, "more than the 2147483647"),
        ({"DimSize": "5 3 four"}, "whole numbers in its field 'DimSize'"),
        ({"DimSize": None}, "lacks DimSize or ElementDataFile"),
        ({"NDims": "4"}, "with NDims = 3, it says '4'"),
        ({"ElementNumberOfChannels": "3"}, "with ElementNumberOfChannels = 1"),
        ({"BinaryData": "False"}, "with BinaryData = True"),
        ({"ElementType": "MET_LONG"}, "its ElementType is 'MET_LONG'"),
        ({"ElementToIntensityFunctionSlope": "2"}, "scales its voxels"),
        ({"TransformMatrix": "1 0 0 0 1 0"}, "9, 3 and 3 numbers"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "three independent voxel axes"),
        ({"ElementSpacing": "1 nan 1"}, "finite numbers"),
        ({"Offset": "0 0 up"}, "must give numbers in its field 'Offset'"),
        ({"CompressedData": "True"}, "zlib data"),
    ],
)
def test_a_bad_metaimage_header_is_refused(tmp_path, changes, match):
    refused(metaimage(tmp_path / "ct.mha", **changes), match)


def test_damage_in_a_zlib_stream_is_refused(tmp_path):
    packed = bytearray(zlib.compress(RAW))
    packed[-3] ^= 0xFF  # the checksum
    refused(metaimage(tmp_path / "ct.mha", bytes(packed), CompressedData="True"), "readable zlib data")


def test_an_endless_header_is_refused(tmp_path):
    (tmp_path / "ct.nrrd").write_bytes(b"NRRD0004\n" + b"x" * 100_000)
    refused(tmp_path / "ct.nrrd", "text header of at most")
    (tmp_path / "many.nrrd").write_bytes(b"NRRD0004\n" + b"# comment\n" * 500_000)
    refused(tmp_path / "many.nrrd", "text header of at most")


def test_a_nrrd_line_that_is_no_field_is_refused(tmp_path):
    (tmp_path / "ct.nrrd").write_bytes(b"NRRD0004\nnonsense\n\n")
    refused(tmp_path / "ct.nrrd", "'field: value' lines")
