"""One opening and one unpacking of DICOM: every wrapping and compression gives the same stored pixels."""

import os
import signal
import struct
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from support.dicom import write_dicom
from support.xray_dicom import xray_dataset
from xraykit.render import FileError, Volume, read_radiograph
from xraykit.render.storage.codestream import codestream_of
from xraykit.render.storage.dicom_header import MAX_ITEMS, read_dicom
from xraykit.render.storage.dicom_pixels import stored_frames
from xraykit.render.storage.dicom_sniff import is_dicom
from xraykit.render.storage.dicom_unpack import Unpacker

Y, X = np.mgrid[:48, :64]
PICTURE = (200 + 40 * X + 13 * Y).astype(np.uint16)  # 12 bits


def stored(path, **options):
    with Unpacker() as unpacker:
        return stored_frames(path, read_dicom(path, pixels=True), unpacker, **options)


def packed_by_gdcm(tmp_path, compressor, pixels=PICTURE):
    """One frame packed by an independent program, and its transfer syntax."""
    writer, path = SimpleITK.ImageFileWriter(), tmp_path / "packed.dcm"
    writer.SetImageIO("GDCMImageIO")
    writer.UseCompressionOn()
    writer.SetCompressor(compressor)
    writer.SetFileName(str(path))
    writer.Execute(SimpleITK.GetImageFromArray(pixels))
    packed = dcmread(path)
    return next(generate_frames(packed.PixelData, number_of_frames=1)), packed.file_meta.TransferSyntaxUID


def encapsulated(frames, **tags):
    pixels = np.stack([PICTURE] * len(frames)) if len(frames) > 1 else PICTURE
    dataset = xray_dataset(pixels, PixelData=encapsulate(frames), **tags)
    dataset["PixelData"].is_undefined_length = True
    return dataset


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_native_and_deflated_files_give_the_stored_pixels(tmp_path, syntax):
    path = write_dicom(tmp_path / "x.dcm", xray_dataset(PICTURE), syntax=syntax)
    np.testing.assert_array_equal(stored(path)[0], PICTURE)


def test_big_endian_files_give_the_stored_pixels(tmp_path):
    dataset = xray_dataset(PICTURE, PixelData=PICTURE.astype(">u2").tobytes())
    dataset["PixelData"].VR = "OW"
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(stored(tmp_path / "x.dcm")[0], PICTURE)


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("meta", [None, "no syntax"])
def test_files_without_preamble_mark_or_syntax_are_read_and_that_is_recorded(tmp_path, implicit, meta):
    dataset, path = xray_dataset(PICTURE), tmp_path / "IM0001"
    if meta is None:
        del dataset.file_meta
    dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert is_dicom(path)
    image = read_radiograph(path)
    np.testing.assert_array_equal(image.pixels[0], PICTURE)
    assert image.provenance["encoding"].is_assumed
    kind = "implicit" if implicit else "explicit"
    assert f"{kind} little endian" in image.provenance["encoding"].note


def test_a_mark_without_its_preamble_is_read(tmp_path):
    path = write_dicom(tmp_path / "x.dcm", xray_dataset(PICTURE))
    path.write_bytes(path.read_bytes()[128:])
    np.testing.assert_array_equal(read_radiograph(path).pixels[0], PICTURE)


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n", b"NRRD0004\n", b"\0" * 200, b"plain text, no DICOM at all", b""]
)
def test_other_files_are_not_taken_for_dicom(tmp_path, head):
    (tmp_path / "x.dcm").write_bytes(head + bytes(200) if head else b"")
    assert not is_dicom(tmp_path / "x.dcm")


@pytest.mark.parametrize(("compressor", "syntax"), [("JPEG", JPEGLosslessSV1), ("JPEG2000", JPEG2000Lossless)])
def test_what_another_program_packed_is_unpacked_exactly(tmp_path, compressor, syntax):
    frame, said = packed_by_gdcm(tmp_path, compressor)
    assert said == syntax
    found = codestream_of(frame)
    assert (found.rows, found.columns) == PICTURE.shape
    path = write_dicom(tmp_path / "x.dcm", encapsulated([frame]), syntax=syntax)
    np.testing.assert_array_equal(stored(path)[0], PICTURE)


def test_packed_pixels_without_a_transfer_syntax_are_known_by_their_content(tmp_path):
    frame, _ = packed_by_gdcm(tmp_path, "JPEG")
    dataset = encapsulated([frame])
    dataset.file_meta = FileMetaDataset()
    dataset.save_as(tmp_path / "x.dcm", implicit_vr=False, little_endian=True, enforce_file_format=False)
    np.testing.assert_array_equal(stored(tmp_path / "x.dcm")[0], PICTURE)


def test_jpeg_ls_and_run_lengths_are_unpacked_frame_by_frame(tmp_path):
    pytest.importorskip("jpeg_ls", reason="needs the extra: pip install 'xraykit-render[export]'")
    frames = np.stack([PICTURE, PICTURE[::-1]])
    for syntax in (JPEGLSLossless, RLELossless):
        dataset = xray_dataset(frames)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, generate_instance_uid=False)
        path = write_dicom(tmp_path / "x.dcm", dataset, syntax=syntax)
        np.testing.assert_array_equal(stored(path), frames)
        np.testing.assert_array_equal(stored(path, frames=[1]), frames[1:])


def test_packed_frames_of_another_size_than_the_tags_say_are_refused_unread(tmp_path):
    frame, syntax = packed_by_gdcm(tmp_path, "JPEG2000")
    swollen = frame[:8] + struct.pack(">2I", 60000, 60000) + frame[16:]
    path = write_dicom(tmp_path / "x.dcm", encapsulated([swollen]), syntax=syntax)
    with pytest.raises(FileError, match=r"must pack frames of 48 x 64 pixels .* one declares 60000 x 60000"):
        stored(path)


def test_fewer_packed_frames_than_declared_are_refused(tmp_path):
    frame, syntax = packed_by_gdcm(tmp_path, "JPEG")
    path = write_dicom(tmp_path / "x.dcm", encapsulated([frame], NumberOfFrames=3), syntax=syntax)
    with pytest.raises(FileError, match=r"3 frames|damaged"):
        stored(path)


def test_damaged_packed_pixels_end_in_one_sentence_and_the_next_frame_is_unpacked(tmp_path):
    frame, syntax = packed_by_gdcm(tmp_path, "JPEG")
    bad = write_dicom(tmp_path / "bad.dcm", encapsulated([frame[:60]]), syntax=syntax)
    good = write_dicom(tmp_path / "good.dcm", encapsulated([frame]), syntax=syntax)
    with Unpacker() as unpacker:
        with pytest.raises(FileError, match=r"bad\.dcm must hold .*(unpack|decoder)"):
            stored_frames(bad, read_dicom(bad, pixels=True), unpacker)
        np.testing.assert_array_equal(stored_frames(good, read_dicom(good, pixels=True), unpacker)[0], PICTURE)


def test_a_decoder_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.render.storage.dicom_unpack.WALL_SECONDS", 0.0)
    frame, syntax = packed_by_gdcm(tmp_path, "JPEG")
    path = write_dicom(tmp_path / "x.dcm", encapsulated([frame]), syntax=syntax)
    with pytest.raises(FileError, match="its decoder crashed or went beyond its bounds of time and memory"):
        stored(path)


def test_a_decoder_that_spins_is_ended_by_its_own_cpu_time():
    pytest.importorskip("resource", reason="Windows has no such limits")
    spin = "from xraykit.render.storage import dicom_worker as w\nw.SECONDS = 0.05\nw.bound(0)\nwhile True: pass"
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, "-c", spin], env={**os.environ, "PYTHONPATH": paths}, check=False)
    assert done.returncode == -signal.SIGPROF


@pytest.mark.parametrize("lost", [2, 3, 20])
def test_jpeg_ls_without_its_end_is_refused_before_a_decoder_looks_for_it(tmp_path, lost):
    pytest.importorskip("jpeg_ls", reason="needs the extra: pip install 'xraykit-render[export]'")
    dataset = xray_dataset(PICTURE)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    whole, cut = frame[: frame.rindex(b"\xff\xd9") + 2], frame[: frame.rindex(b"\xff\xd9") + 2 - lost]
    path = write_dicom(tmp_path / "cut.dcm", encapsulated([cut]), syntax=JPEGLSLossless)
    with pytest.raises(
        FileError, match=r"cut\.dcm must hold whole frames, a JPEG-LS .* has no end; copy the file again"
    ):
        stored(path)
    path = write_dicom(tmp_path / "whole.dcm", encapsulated([whole + b"\0\0"]), syntax=JPEGLSLossless)  # padded
    np.testing.assert_array_equal(stored(path)[0], PICTURE)


def extended_jpeg(levels):
    """Blocks of 8 x 8 equal pixels as an extended sequential JPEG of 12 bits: nothing but DC terms (T.81 F.1, F.2)."""

    def segment(marker, body):
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    rows, columns = (8 * n for n in levels.shape)
    head = b"\xff\xd8" + segment(0xDB, bytes([0, *[8] * 64]))  # a step of 8 is one grey level of the block
    head += segment(0xC1, struct.pack(">BHHB3B", 12, rows, columns, 1, 1, 0x11, 0))
    head += segment(0xC4, bytes([0x00, 0, 0, 0, 13, *[0] * 12, *range(13)]))  # sizes of DC steps, four bits each
    head += segment(0xC4, bytes([0x10, 1, *[0] * 15, 0]))  # AC: the end of a block, one bit
    head += segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
    bits = ""
    for step in np.diff(levels.ravel().astype(int) - 2048, prepend=0):
        size = int(abs(step)).bit_length()
        amount = step if step > 0 else step + (1 << size) - 1
        bits += f"{size:04b}" + (f"{amount:0{size}b}" if size else "") + "0"
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[n : n + 8], 2) for n in range(0, len(bits), 8))
    return head + scan.replace(b"\xff", b"\xff\x00") + b"\xff\xd9"


def test_extended_jpeg_of_12_bits_gives_every_grey_level(tmp_path):
    levels = np.random.default_rng(0).integers(0, 4096, (6, 8))
    levels[0, :3] = 0, 4095, 0
    tags = {"PixelData": encapsulate([extended_jpeg(levels)]), "BitsStored": 12, "HighBit": 11}
    pixels = np.kron(levels, np.ones((8, 8), int)).astype(np.uint16)
    dataset = xray_dataset(pixels, **tags)
    dataset["PixelData"].is_undefined_length = True
    path = write_dicom(tmp_path / "x.dcm", dataset, syntax=JPEGExtended12Bit)
    np.testing.assert_array_equal(stored(path)[0], pixels)


def test_a_frame_that_no_decoder_takes_names_its_syntax(tmp_path):
    dataset = encapsulated([b"\xff\xd8\xff\xd9"])
    path = write_dicom(tmp_path / "x.dcm", dataset, syntax=JPEGExtended12Bit)
    with pytest.raises(FileError, match=r"unpacking JPEG Extended \(Process 2 and 4\) failed"):
        stored(path)


def test_bits_above_the_stored_ones_do_not_count(tmp_path):
    marked = PICTURE | np.uint16(0x8000)  # an overlay in the unused bits
    path = write_dicom(tmp_path / "x.dcm", xray_dataset(marked, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(stored(path)[0], PICTURE)
    signed = (PICTURE.astype(np.int16) - 2048) & np.int16(0x0FFF)
    path = write_dicom(tmp_path / "y.dcm", xray_dataset(signed, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(stored(path)[0], PICTURE.astype(np.int16) - 2048)


@pytest.mark.parametrize("signed", [False, True])
def test_bits_begin_where_high_bit_says_unless_those_below_are_in_use(tmp_path, signed):
    values = PICTURE.astype(np.int16) - 2048 if signed else PICTURE
    raised = xray_dataset(values << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(stored(write_dicom(tmp_path / "raised.dcm", raised))[0], values)
    misnamed = xray_dataset(values, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(stored(write_dicom(tmp_path / "misnamed.dcm", misnamed))[0], values)
    nonsense = xray_dataset(values, BitsStored=12, HighBit=40)
    np.testing.assert_array_equal(stored(write_dicom(tmp_path / "nonsense.dcm", nonsense))[0], values)


@pytest.mark.parametrize("deflated", [False, True])
def test_hundreds_of_thousands_of_empty_items_are_refused_before_they_are_parsed(tmp_path, deflated):
    dataset = xray_dataset(PICTURE)
    dataset.add_new(0x00400275, "UN", b"")
    syntax = DeflatedExplicitVRLittleEndian if deflated else ExplicitVRLittleEndian
    path = write_dicom(tmp_path / "x.dcm", dataset, syntax=syntax)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * (MAX_ITEMS + 1)
    long = struct.pack("<HH2sHI", 0x40, 0x275, b"SQ", 0, len(items)) + items
    if deflated:
        import zlib

        packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
        head = path.read_bytes()
        start = 144 + struct.unpack("<I", head[140:144])[0]
        path.write_bytes(head[:start] + packer.compress(long) + packer.flush())
    else:
        path.write_bytes(path.read_bytes() + long)
    with pytest.raises(FileError, match=r"more than 150000 items|must inflate to at most"):
        read_radiograph(path)
    with pytest.raises(FileError, match=r"more than 150000 items|must inflate to at most"):
        Volume.from_file(path)
