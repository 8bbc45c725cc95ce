"""What lies in DICOM folders: the one volume is found, what is beside it is said, several are listed."""

import numpy as np
import pytest
import torch
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEGLSLossless
from support.dicom import SERIES, slice_dataset, write_dicom, write_enhanced, write_series
from xraykit.render import FileError, Volume
from xraykit.render.files.dicom_series import read_dicom_series

STORED = np.random.default_rng(4).integers(0, 3000, (6, 5, 6)).astype(np.int16)
HU = torch.from_numpy(STORED.astype(np.float32) - 1024)
ANOTHER = "one slice was named, the 5 others of its series beside it were read too"


def facts(folder, **options):
    return read_dicom_series(folder, **options).provenance


def beside(folder, name, *, series, stored=STORED[:1], edit=None, **tags):
    """Another series in the same folder."""

    def named(n, dataset):
        dataset.SeriesInstanceUID = dataset.SOPInstanceUID = f"{SERIES}.{series}"
        dataset.SOPInstanceUID += f".{n}"
        if edit is not None:
            edit(n, dataset)

    made = write_series(folder.parent / name, stored, edit=named, **tags)
    for file in made.iterdir():
        file.rename(folder / f"{name}{file.name}")


def localizer(n, dataset):
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]


def dose(n, dataset):
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE"


def capture(n, dataset):
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.7", "OT"


def emission(n, dataset):
    dataset.SOPClassUID, dataset.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"


def unmarked_scout(n, dataset):
    dataset.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    dataset.SeriesInstanceUID = SERIES  # as some scanners file it


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (localizer, "1 localizer"),
        (dose, "1 dose grid"),
        (capture, "1 capture"),
        (emission, "1 lesser PET stack"),
        (unmarked_scout, "1 lesser CT stack"),
    ],
)
def test_the_one_volume_is_read_and_what_was_left_out_is_said(tmp_path, edit, said):
    folder = write_series(tmp_path / "ct", STORED)
    beside(folder, "other", series=7, edit=edit)
    volume = Volume.from_file(folder)
    assert torch.equal(volume.hu, HU)
    assert volume.assumptions["left out"] == (said, "assumed", "no part of the volume")


def test_volumes_in_subfolders_are_found_from_the_root_and_from_a_dicomdir(tmp_path):
    write_series(tmp_path / "cd/DICOM/PA0/ST0/SE0", STORED)
    (tmp_path / "cd/autorun.inf").write_text("a viewer")
    directory = slice_dataset(STORED[0], position=np.zeros(3))
    directory.SOPClassUID = directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    write_dicom(tmp_path / "cd/DICOMDIR", directory)
    for path in (tmp_path / "cd", tmp_path / "cd/DICOMDIR"):
        assert torch.equal(Volume.from_file(path).hu, HU)
        assert facts(path)["left out"].value == "1 other file"


def test_several_volumes_are_listed_and_chosen_by_number_or_uid(tmp_path):
    folder = write_series(tmp_path / "ct", STORED, edit=lambda n, d: setattr(d, "SeriesDescription", "Thorax B30"))
    beside(folder, "sharp", series=8, stored=STORED[:4] // 2, edit=lambda n, d: setattr(d, "SeriesNumber", 5))
    listed = r'2: 1\) CT axial 6 x 5 x 6 "Thorax B30", 2\) CT axial 6 x 5 x 4; choose one .* --series 1'
    with pytest.raises(FileError, match=listed):
        Volume.from_file(folder)
    assert torch.equal(Volume.from_file(folder, series="1").hu, HU)
    assert Volume.from_file(folder, series=f"{SERIES}.8").shape == Volume.from_file(folder, series="2").shape
    assert facts(folder, series="1")["left out"].value == "1 CT stack"


@pytest.mark.parametrize("keyword", ["AcquisitionNumber", "ConvolutionKernel"])
def test_phases_of_one_series_at_the_same_places_are_told_apart(tmp_path, keyword):
    folder = write_series(tmp_path / "ct", STORED, edit=lambda n, d: setattr(d, keyword, "1"))

    def second(n, dataset):
        setattr(dataset, keyword, "2")
        dataset.SeriesInstanceUID = SERIES

    beside(folder, "late", series=9, stored=STORED // 2, edit=second)
    with pytest.raises(FileError, match=r"it holds 2: 1\) CT axial 6 x 5 x 6, 2\) CT axial 6 x 5 x 6"):
        Volume.from_file(folder)
    with pytest.raises(FileError, match="holds 2 volumes in that series"):
        Volume.from_file(folder, series=SERIES)
    assert torch.equal(Volume.from_file(folder, series="1").hu, HU)


def test_copies_of_a_slice_count_once(tmp_path):
    folder = write_series(tmp_path / "ct", STORED, shuffle=False)
    (folder / "copy").mkdir()
    (folder / "copy/002.dcm").write_bytes((folder / "002.dcm").read_bytes())
    assert torch.equal(Volume.from_file(folder).hu, HU)
    assert facts(folder)["left out"].value == "1 double"


@pytest.mark.parametrize("storage", ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.13.1.1"])
def test_what_a_c_arm_reconstructed_is_a_ct(tmp_path, storage):
    def edit(n, dataset):
        dataset.Modality, dataset.SOPClassUID = "XA", storage

    folder = write_series(tmp_path / "dyna", STORED, edit=edit)
    assert torch.equal(Volume.from_file(folder).hu, HU)
    said = Volume.from_file(folder).assumptions["modality"]
    assert said == ("CT", "assumed", "by its storage class, although Modality says something else")


@pytest.mark.parametrize(("step", "decimals"), [(0.625, 1), (1.25, 1), (2.5, 0), (0.7142857, 2)])
def test_stacks_with_rounded_positions_are_read(tmp_path, step, decimals):
    def edit(n, dataset):
        dataset.ImagePositionPatient = [-10, -20, round(30 + n * step, decimals)]

    affine = Volume.from_file(write_series(tmp_path / "ct", STORED, edit=edit)).affine
    assert float(affine[2, 2]) == pytest.approx(step, abs=10**-decimals / 5)


def test_a_missing_slice_is_no_rounding(tmp_path):
    def edit(n, dataset):
        dataset.ImagePositionPatient = [-10, -20, round(30 + (n + (n > 2)) * 0.625, 1)]

    with pytest.raises(FileError, match=r"evenly spaced slices, .*--resample-slices"):
        Volume.from_file(write_series(tmp_path / "ct", STORED, edit=edit))


def test_uneven_slices_are_interpolated_on_request(tmp_path):
    places = [0.0, 2.5, 5.0, 7.5, 12.5, 17.5]

    def edit(n, dataset):
        dataset.ImagePositionPatient = [-10, -20, 30 + places[n]]

    folder = write_series(tmp_path / "ct", STORED, edit=edit)
    with pytest.raises(FileError, match=r"most are 2.5 mm apart .* are 5 mm apart"):
        Volume.from_file(folder)
    volume = Volume.from_file(folder, resample_slices=True)
    assert volume.shape == (8, 5, 6)
    assert float(volume.affine[2, 2]) == pytest.approx(2.5)
    torch.testing.assert_close(volume.hu[[0, 1, 2, 3, 5, 7]], HU)
    torch.testing.assert_close(volume.hu[4], (HU[3] + HU[4]) / 2)


def test_links_that_lead_nowhere_and_files_that_were_not_fetched_are_refused(tmp_path):
    folder = write_series(tmp_path / "ct", STORED, shuffle=False)
    (folder / "005.dcm").unlink()
    (folder / "005.dcm").symlink_to(tmp_path / "not_fetched")
    with pytest.raises(FileError, match=r"1 links lead nowhere, for instance 005.dcm; fetch the files"):
        Volume.from_file(folder)
    (folder / "005.dcm").unlink()
    (folder / "005").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(FileError, match=r"stands for a file that was not fetched"):
        Volume.from_file(folder)


def test_a_dead_link_that_is_not_named_like_the_slices_is_left_out(tmp_path):
    folder = write_series(tmp_path / "ct", STORED)
    (folder / "notes.pdf").symlink_to(tmp_path / "gone")
    volume = Volume.from_file(folder)
    assert torch.equal(volume.hu, HU)
    assert volume.assumptions["left out"].value == "1 other file"


def test_one_slice_brings_the_others_of_its_series(tmp_path):
    folder = write_series(tmp_path / "ct", STORED, shuffle=False)
    beside(folder, "scout", series=7, edit=localizer)
    assert torch.equal(Volume.from_file(folder / "003.dcm").hu, HU)
    assert facts(folder / "003.dcm")["slices"] == (6, "assumed", ANOTHER)
    (folder / "005.dcm").unlink()
    (folder / "005.dcm").symlink_to(tmp_path / "not_fetched")
    assert Volume.from_file(folder / "003.dcm").doubts["left out"].value == "1 dead link"
    (folder / "004.dcm").write_bytes((folder / "004.dcm").read_bytes()[:400])
    assert Volume.from_file(folder / "003.dcm").doubts["left out"].value == "1 dead link, 1 unreadable file"


@pytest.mark.parametrize("groups", [Sequence([]), None])
def test_empty_functional_groups_count_as_absent(tmp_path, groups):
    def edit(n, dataset):
        dataset.PerFrameFunctionalGroupsSequence = groups

    assert torch.equal(Volume.from_file(write_series(tmp_path / "ct", STORED, edit=edit)).hu, HU)


def test_a_slope_of_zero_is_taken_as_one_and_said(tmp_path):
    folder = write_series(tmp_path / "ct", STORED, edit=lambda n, d: setattr(d, "RescaleSlope", 0))
    assert torch.equal(Volume.from_file(folder).hu, HU)
    assert Volume.from_file(folder).doubts["rescale slope"].note.startswith("RescaleSlope (0028,1053) is 0")


def test_each_packed_frame_gets_its_own_rescale(tmp_path):
    pytest.importorskip("jpeg_ls", reason="needs the extra: pip install 'xraykit-render[export]'")
    from pydicom import dcmread

    path = write_enhanced(tmp_path / "enhanced.dcm", STORED.astype(np.uint16))
    dataset = dcmread(path)
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    packed = write_dicom(tmp_path / "packed.dcm", dataset, syntax=JPEGLSLossless)
    expected = STORED.astype(np.float32) - 1000 - np.arange(6, dtype=np.float32)[:, None, None]
    for file in (path, packed):
        assert torch.equal(Volume.from_file(file).hu, torch.from_numpy(expected))


def test_a_folder_of_other_objects_says_what_it_holds(tmp_path):
    report = Dataset()
    report.file_meta = slice_dataset(STORED[0], position=np.zeros(3)).file_meta
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.3"
    (tmp_path / "reports").mkdir()
    write_dicom(tmp_path / "reports/a.dcm", report)
    (tmp_path / "reports/notes").write_text("n")
    with pytest.raises(FileError, match="of a CT or MR, it holds 1 other file, 1 report; name the folder"):
        Volume.from_file(tmp_path / "reports")
