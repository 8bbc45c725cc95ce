"""DICOM folders and enhanced files: geometry exactly as tagged, damage refused in one sentence."""

import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless
from support.dicom import SERIES, nested_sequence, slice_dataset, write_dicom, write_enhanced, write_series
from xraykit.render import FileError, Volume
from xraykit.render.files.dicom_series import read_dicom_series
from xraykit.render.files.volumes import declared_grid, read_finite
from xraykit.render.materials.attenuation import WATER_AND_BONE, MRPassthrough

STORED = np.random.default_rng(1).integers(0, 3000, (4, 5, 6)).astype(np.int16)


def damaged(folder: Path, edit=None, **options) -> Path:
    return write_series(folder / "series", STORED, edit=edit, **options)


def refused(path: Path, match: str) -> None:
    with pytest.raises(FileError, match=match) as caught:
        Volume.from_file(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")


def test_voxels_are_rescaled_and_sorted_along_the_normal_whatever_the_file_names(tmp_path):
    volume = Volume.from_file(damaged(tmp_path))
    assert torch.equal(volume.hu, torch.from_numpy(STORED.astype(np.float32) - 1024))
    assert torch.equal(volume.mu, WATER_AND_BONE(volume.hu))


def test_affine_maps_indices_to_ras_as_the_tags_say(tmp_path):
    affine = Volume.from_file(damaged(tmp_path)).affine
    # PixelSpacing is (row, column) = (2, 1.5): i steps along a row by 1.5 mm towards LPS +x, which is RAS -x.
    expected = [[-1.5, 0, 0, 10.0], [0, -2.0, 0, 20.0], [0, 0, 3.0, 30.0], [0, 0, 0, 1]]
    torch.testing.assert_close(affine, torch.tensor(expected, dtype=torch.float64))


def test_affine_and_voxels_agree_with_simpleitk_on_an_oblique_series(tmp_path):
    turn = math.radians(25)
    row, column = (math.cos(turn), math.sin(turn), 0.0), (0.0, 0.0, -1.0)
    normal = np.cross(row, column)
    folder = write_series(
        tmp_path / "oblique", STORED, step=tuple(4.0 * normal), orientation=(*row, *column), shuffle=False
    )
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(folder / f"{n:03d}.dcm") for n in range(4)])
    image = reader.Execute()
    direction = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    expected = np.diag([-1, -1, 1]) @ np.column_stack([direction, image.GetOrigin()])
    volume = Volume.from_file(folder)
    np.testing.assert_allclose(volume.affine[:3], expected, atol=1e-9)
    np.testing.assert_array_equal(volume.hu, SimpleITK.GetArrayFromImage(image))


def test_a_gantry_tilt_is_kept_as_shear(tmp_path):
    tilt = math.radians(15)
    column = (0.0, math.cos(tilt), -math.sin(tilt))
    folder = write_series(tmp_path / "tilted", STORED, orientation=(1.0, 0.0, 0.0, *column))
    volume = Volume.from_file(folder)
    steps = volume.affine[:3, :3] / volume.spacing
    torch.testing.assert_close(volume.affine[:3, 2], torch.tensor([0.0, 0.0, 3.0], dtype=torch.float64))
    angle = math.degrees(math.asin(abs(float(steps[:, 1] @ steps[:, 2]))))
    assert angle == pytest.approx(15.0, abs=1e-6)


def test_rescale_is_taken_slice_by_slice(tmp_path):
    def edit(n, dataset):
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + n, -100 * n

    hu = Volume.from_file(damaged(tmp_path, edit)).hu
    expected = np.stack([STORED[n].astype(np.float32) * (1 + n) - 100 * n for n in range(4)])
    assert torch.equal(hu, torch.from_numpy(expected))


def test_an_enhanced_file_reads_like_its_slices(tmp_path):
    path = write_enhanced(tmp_path / "enhanced.dcm", STORED)
    volume = Volume.from_file(path)
    expected = np.stack([STORED[n].astype(np.float32) - 1000 - n for n in range(4)])
    assert torch.equal(volume.hu, torch.from_numpy(expected))
    torch.testing.assert_close(volume.affine, Volume.from_file(damaged(tmp_path)).affine)


def test_run_length_compressed_slices_are_unpacked(tmp_path):
    folder = tmp_path / "rle"
    folder.mkdir()
    for n in range(4):
        dataset = slice_dataset(STORED[n], position=np.array([0.0, 0.0, 3.0 * n]), number=n)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(folder / f"{n}.dcm", enforce_file_format=True)
    assert torch.equal(Volume.from_file(folder).hu, torch.from_numpy(STORED.astype(np.float32) - 1024))


def test_jpeg_compressed_slices_are_unpacked_with_their_rescale(tmp_path):
    folder = tmp_path / "jpeg"
    folder.mkdir()
    large = np.random.default_rng(2).integers(0, 3000, (4, 64, 64)).astype(np.int16)  # ITK's encoder needs some pixels
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG2000")
    for n in range(4):
        image = SimpleITK.GetImageFromArray(large[n][None] - np.int16(1024))
        image.SetOrigin((0.0, 0.0, 3.0 * n))
        tags = {"0008|0060": "CT", "0020|000e": SERIES, "0020|0037": "1\\0\\0\\0\\1\\0"}
        tags |= {"0020|0032": f"0\\0\\{3 * n}", "0028|1052": "-1024", "0028|1053": "1", "0008|0018": f"{SERIES}.{n}"}
        for key, value in tags.items():
            image.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"{n}.dcm"))
        writer.Execute(image)
    assert torch.equal(Volume.from_file(folder).hu, torch.from_numpy(large.astype(np.float32) - 1024))


def test_the_modality_tag_chooses_the_law_and_the_argument_overrules_it(tmp_path):
    folder = write_series(tmp_path / "mr", STORED, modality="MR")
    volume = Volume.from_file(folder)
    assert torch.equal(volume.mu, MRPassthrough()(volume.hu))
    assert torch.equal(Volume.from_file(folder, modality="CT").mu, WATER_AND_BONE(volume.hu))


def emission(n, dataset):
    dataset.Modality, dataset.SOPClassUID = "PT", "1.2.840.10008.5.1.4.1.1.128"


def test_another_modality_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be CT or MR, its Modality tag says 'PT'"):
        Volume.from_file(damaged(tmp_path, emission))


def test_files_that_are_no_images_are_left_out_and_counted(tmp_path):
    folder = damaged(tmp_path)
    (folder / "notes.txt").write_text("not an image")
    report = Dataset()
    report.file_meta = slice_dataset(STORED[0], position=np.zeros(3)).file_meta
    report.SOPClassUID, report.SOPInstanceUID, report.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3", "SR"
    write_dicom(folder / "report.dcm", report)
    grid = read_dicom_series(folder)
    assert grid.size == (6, 5, 4)
    assert grid.provenance["left out"].value == "1 other file, 1 report"


def test_a_series_whose_uid_is_blank_is_read(tmp_path):
    folder = damaged(tmp_path, edit=lambda n, d: d.add_new(0x0020000E, "LO", "\x02"))
    assert read_dicom_series(folder).provenance["series"].value == "not named"


def test_a_missing_rescale_is_stated_as_assumed(tmp_path):
    def edit(n, dataset):
        del dataset.RescaleSlope, dataset.RescaleIntercept

    rescale = read_dicom_series(damaged(tmp_path, edit)).provenance["rescale"]
    assert rescale.is_assumed
    assert rescale.value == "x 1 + 0"


def test_two_series_are_refused_unless_one_is_named(tmp_path):
    folder = damaged(tmp_path)
    other = np.zeros((4, 5, 6), np.int16)

    def edit(n, dataset):
        dataset.SeriesInstanceUID = SERIES + ".2"

    write_series(tmp_path / "other", other, edit=edit)
    for file in (tmp_path / "other").iterdir():
        file.rename(folder / f"other{file.name}")
    refused(folder, r"must hold one volume, it holds 2: 1\) CT axial 6 x 5 x 4, 2\) CT axial 6 x 5 x 4; .* --series 1")
    assert (Volume.from_file(folder, series=SERIES + ".2").hu == -1024).all()
    with pytest.raises(FileError, match=r"holds no series 9\.9; it has 1\) CT axial"):
        Volume.from_file(folder, series="9.9")


def test_a_missing_slice_is_refused(tmp_path):
    folder = damaged(tmp_path, shuffle=False)
    (folder / "002.dcm").unlink()
    refused(folder, r"most are 3 mm apart but 001.dcm and 003.dcm are 6 mm apart; slices are missing")
    six = write_series(tmp_path / "six", np.repeat(STORED, 2, axis=0), shuffle=False)
    (six / "002.dcm").unlink()
    refused(six, r"most are 3 mm apart but 001.dcm and 003.dcm are 6 mm apart; slices are missing")


def test_a_doubled_slice_is_refused(tmp_path):
    folder = damaged(tmp_path, lambda n, dataset: n == 2 and setattr(dataset, "ImagePositionPatient", [-10, -20, 33]))
    refused(folder, r"must hold each slice once, 2 slices share a position, for instance \d+.dcm and \d+.dcm;")


def test_frames_that_share_a_position_are_counted_and_named_by_number(tmp_path):
    path = write_enhanced(tmp_path / "enhanced.dcm", STORED)
    dataset = dcmread(path)
    frames = dataset.PerFrameFunctionalGroupsSequence
    for n in (1, 3):
        frames[n].PlanePositionSequence = frames[n - 1].PlanePositionSequence
    dataset.save_as(path)
    refused(path, r"4 slices share a position, for instance frames 0 and 1 of enhanced.dcm, counted from 0;")


def test_a_slice_out_of_line_is_refused(tmp_path):
    folder = damaged(tmp_path, lambda n, dataset: n == 2 and setattr(dataset, "ImagePositionPatient", [-4, -20, 36]))
    refused(folder, r"along one straight line, .* lies 6 mm off it")


@pytest.mark.parametrize(
    ("keyword", "value", "match"),
    [
        ("ImageOrientationPatient", [1, 0, 0, 0, 0, -1], r"most are 3 mm apart but"),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0], r"two perpendicular unit vectors"),
        ("ImageOrientationPatient", [1, 0, 0], r"6 finite numbers in ImageOrientationPatient"),
        ("PixelSpacing", [2.0, 1.6], r"slices of one pixel spacing"),
        ("PixelSpacing", [0.0, 1.5], r"positive pixel spacing"),
        ("ImagePositionPatient", None, r"by ImagePositionPatient, the tag is missing"),
        ("RescaleSlope", "1e400", r"finite RescaleSlope|damaged"),
        ("Rows", 0, r"must hold pixels, it declares 0 rows"),
        ("SamplesPerPixel", 3, r"grey pixels of 8, 16 or 32 bits, got 3 samples"),
        ("NumberOfFrames", 2, r"2 frames without their positions|PixelData has"),
    ],
)
def test_a_bad_tag_in_one_slice_is_refused(tmp_path, keyword, value, match):
    def edit(n, dataset):
        if n == 1:
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)

    refused(damaged(tmp_path, edit), match)


def test_mixed_sizes_are_refused(tmp_path):
    folder = damaged(tmp_path)
    write_dicom(folder / "big.dcm", slice_dataset(np.zeros((7, 6), np.int16), position=np.array([-10, -20, 42.0])))
    refused(folder, r"slices of one size, .* has \(5, 6\) and big.dcm has \(7, 6\)")


def test_short_pixel_data_is_refused(tmp_path):
    def cut(n, dataset):
        if n == 2:
            dataset.PixelData = dataset.PixelData[:-10]

    refused(damaged(tmp_path, cut), r"must hold 60 bytes of pixels as its tags declare, its PixelData has 50")


def test_declared_pixels_beyond_the_file_are_refused_before_anything_is_read(tmp_path):
    def grow(n, dataset):
        dataset.Rows = dataset.Columns = 65535

    refused(damaged(tmp_path, grow), r"must hold 8589672450 bytes of pixels as its tags declare, the whole file has")


def test_a_truncated_file_is_refused(tmp_path):
    folder = damaged(tmp_path, shuffle=False)
    content = (folder / "001.dcm").read_bytes()
    for length in range(0, len(content), 37):
        (folder / "001.dcm").write_bytes(content[:length])
        with pytest.raises(FileError):
            Volume.from_file(folder)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x28\x00\x10\x00US\x02\x00\x05\x00", b"\x28\x00\x10\x00US\x03\x00\x05\x00"),  # Rows of three bytes
        (b"\x28\x00\x10\x00US\x02\x00", b"\x28\x00\x10\x00UL\x02\x00"),  # Rows of another type
        (b"1.5 ", b"1.5x"),
        (SERIES.encode(), SERIES.encode()[:-3] + b"\n.1"),
        (b"\x20\x00\x0e\x00UI", b"\x20\x00\x0e\x00SQ"),
    ],
)
def test_damaged_tags_are_refused_without_a_traceback(tmp_path, before, after):
    path = damaged(tmp_path, shuffle=False) / "001.dcm"
    content = path.read_bytes()
    at = content.rindex(before)
    path.write_bytes(content[:at] + after + content[at + len(before) :])
    refused(path.parent, "001.dcm|one DICOM series|most are 3 mm apart but 000.dcm and 002.dcm are 6 mm apart")


def test_an_image_that_lost_its_size_is_refused_and_not_left_out(tmp_path):
    def lose(n, dataset):
        if n == 3:
            del dataset.Rows

    refused(damaged(tmp_path, lose), "must hold pixels, it declares 0 rows")


def test_garbage_named_dcm_is_refused(tmp_path):
    folder = damaged(tmp_path)
    (folder / "extra.dcm").write_bytes(b"garbage" * 100)
    refused(folder, r"extra.dcm must be a DICOM file, got a file of another kind")


@pytest.mark.parametrize("depth", [40, 200, 2000])
def test_deeply_nested_sequences_are_refused(tmp_path, depth):
    path = damaged(tmp_path, shuffle=False) / "001.dcm"
    plain = path.read_bytes()
    # (0040,0275) SQ of undefined length, items of undefined length, written by hand: pydicom cannot write 2000 levels.
    opening = bytes.fromhex("4000750253510000ffffffff") + bytes.fromhex("feff00e0ffffffff")
    closing = bytes.fromhex("feff0de000000000") + bytes.fromhex("feffdde000000000")
    path.write_bytes(plain + opening * depth + closing * depth)
    pixels_tag = plain.index(bytes.fromhex("e07f1000"))
    path.write_bytes(plain[:pixels_tag] + opening * depth + closing * depth + plain[pixels_tag:])
    refused(path.parent, r"001.dcm nests DICOM sequences deeper than 32 levels")


@pytest.mark.parametrize("depth", [40, 200])
def test_deeply_nested_sequences_of_defined_length_are_refused(tmp_path, depth):
    def nest(n, dataset):
        inner = Sequence([])
        for _ in range(depth):
            item = Dataset()
            item.RequestAttributesSequence = inner
            inner = Sequence([item])
        dataset.RequestAttributesSequence = inner

    refused(damaged(tmp_path, nest), r"nests DICOM sequences deeper than 32 levels")


def test_moderately_nested_sequences_are_read(tmp_path):
    def nest(n, dataset):
        dataset.RequestAttributesSequence = nested_sequence(10)

    assert Volume.from_file(damaged(tmp_path, nest)).shape == (4, 5, 6)


def test_a_deflated_series_is_read(tmp_path):
    (tmp_path / "deflated").mkdir()
    for n in range(4):
        dataset = slice_dataset(STORED[n], position=np.array([0.0, 0.0, 3.0 * n]), number=n)
        write_dicom(tmp_path / f"deflated/{n}.dcm", dataset, syntax=DeflatedExplicitVRLittleEndian)
    assert torch.equal(Volume.from_file(tmp_path / "deflated").hu, torch.from_numpy(STORED.astype(np.float32) - 1024))


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", r"must hold DICOM images of a CT or MR, it holds no files")


def test_a_single_slice_takes_its_depth_from_the_thickness(tmp_path):
    path = write_dicom(tmp_path / "one.dcm", slice_dataset(STORED[0], position=np.zeros(3)))
    assert Volume.from_file(path).spacing.tolist() == pytest.approx([1.5, 2.0, 3.0])
    dataset = slice_dataset(STORED[0], position=np.zeros(3))
    del dataset.SliceThickness
    refused(write_dicom(tmp_path / "flat.dcm", dataset), r"single slice without SliceThickness")


def test_a_slice_that_goes_away_after_the_headers_were_read_is_one_sentence(tmp_path):
    folder = write_series(tmp_path / "ct", np.zeros((4, 4, 5), np.int16))
    grid = declared_grid(folder)
    sorted(folder.iterdir())[2].unlink()
    with pytest.raises(FileError, match="No such file"):
        read_finite(grid)
