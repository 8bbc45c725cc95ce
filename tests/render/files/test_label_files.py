"""Labels in every form that people have land on the voxels of their CT; what merged, was padded or cut is said."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.dicom import write_seg, write_series
from support.nifti import write_nifti
from xraykit.render import FileError, Volume

SHAPE = (6, 5, 4)
AFFINE = np.diag([-2.0, -2.0, 3.0, 1.0])
HU = np.full(SHAPE, -1000, np.int16)
BONE = np.zeros(SHAPE, np.uint8)
BONE[1:4, 2:4, 1:3] = 1
SOFT = np.zeros(SHAPE, np.uint8)
SOFT[2:6, 3:5, 1:2] = 1


@pytest.fixture
def ct(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "ct.nii", HU, sform=AFFINE)


def seg_nrrd(path: Path, voxels: np.ndarray, fields: str, *, origin: tuple[float, ...] = (0, 0, 0)) -> Path:
    """Voxels [k, j, i] or [k, j, i, layer] on the axes of the CT, LPS."""
    sizes = " ".join(map(str, voxels.shape[::-1]))
    none, kind = ("none ", "list ") if voxels.ndim == 4 else ("", "")
    text = (
        f"NRRD0005\ntype: uchar\ndimension: {voxels.ndim}\nspace: left-posterior-superior\nsizes: {sizes}\n"
        f"space directions: {none}(2,0,0) (0,2,0) (0,0,3)\nkinds: {kind}domain domain domain\nencoding: raw\n"
        f"space origin: ({','.join(map(str, origin))})\n{fields}\n\n"
    )
    path.write_bytes(text.encode() + np.ascontiguousarray(voxels).tobytes())
    return path


def segment(n: int, name: str, *, value: int, layer: int = 0) -> str:
    return f"Segment{n}_Name:={name}\nSegment{n}_LabelValue:={value}\nSegment{n}_Layer:={layer}"


def test_a_folder_of_masks_is_named_after_its_files_and_overlaps_are_counted(ct, tmp_path):
    folder = tmp_path / "segmentations"
    folder.mkdir()
    write_nifti(folder / "femur_left.nii.gz", 255 * BONE, sform=AFFINE)
    write_nifti(folder / "liver.nii.gz", SOFT, sform=AFFINE)
    volume = Volume.from_file(ct, labels=folder)
    assert dict(volume.label_names) == {1: "femur_left", 2: "liver"}
    assert np.array_equal(volume.labels, np.where(SOFT, 2, BONE))
    assert volume.doubts["labels overlap"].value == np.count_nonzero(SOFT & BONE)


def test_a_label_map_alone_in_a_folder_keeps_its_labels_and_among_masks_it_is_refused(ct, tmp_path):
    folder = tmp_path / "segmentations"
    folder.mkdir()
    several = np.where(SOFT, 7, BONE).astype(np.uint8)
    write_nifti(folder / "all.nii.gz", several, sform=AFFINE)
    (folder / "._all.nii.gz").write_bytes(b"\0\5\26\7")  # what macOS leaves on other file systems
    assert np.array_equal(Volume.from_file(ct, labels=folder).labels, several)
    write_nifti(folder / "bone.nii.gz", BONE, sform=AFFINE)
    with pytest.raises(FileError, match=r"masks of one value each, all\.nii\.gz holds 2 labels \(\[1, 7\]\)"):
        Volume.from_file(ct, labels=folder)


@pytest.mark.parametrize("masks", [[BONE], [BONE, SOFT]])
def test_segments_of_older_slicers_have_a_layer_each_and_no_value(ct, tmp_path, masks):
    names = "\n".join(f"Segment{n}_ID:=S{n}\nSegment{n}_Name:=part {n}" for n in range(len(masks)))
    volume = Volume.from_file(ct, labels=seg_nrrd(tmp_path / "old.seg.nrrd", np.stack(masks, axis=-1), names))
    assert dict(volume.label_names) == {n + 1: f"part {n}" for n in range(len(masks))}
    assert np.array_equal(volume.labels, np.where(SOFT, 2, BONE) if len(masks) > 1 else BONE)


def test_masks_take_the_numbers_of_a_table_that_knows_them_all(ct, tmp_path):
    folder = tmp_path / "segmentations"
    folder.mkdir()
    write_nifti(folder / "liver.nii.gz", BONE, sform=AFFINE)
    volume = Volume.from_file(ct, labels=folder, label_names="totalsegmentator_v2")
    assert volume.labels.unique().tolist() == [0, 5]
    assert volume.label_names[5] == "liver"


def test_a_cropped_segmentation_is_padded(ct, tmp_path):
    part = BONE[1:4, 2:4, 1:3]
    path = seg_nrrd(tmp_path / "bone.seg.nrrd", part, segment(0, "bone", value=1), origin=(2, 4, 3))
    volume = Volume.from_file(ct, labels=path)
    assert np.array_equal(volume.labels, BONE)
    assert "labels padded" in volume.assumptions
    assert not volume.doubts.keys() & {"labels outside", "labels overlap"}


def test_labels_that_reach_beyond_a_cropped_ct_are_cut_and_counted(tmp_path):
    ct = write_nifti(tmp_path / "part.nii", HU[2:], sform=AFFINE @ np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 2], [0, 0, 0, 1]]))  # fmt: skip
    volume = Volume.from_file(ct, labels=write_nifti(tmp_path / "seg.nii", BONE, sform=AFFINE))
    assert np.array_equal(volume.labels, BONE[2:])
    assert volume.doubts["labels outside"].value == np.count_nonzero(BONE[:2])


def test_layers_whose_segments_share_a_value_are_counted_anew(ct, tmp_path):
    fields = "\n".join([segment(0, "bone", value=1), segment(1, "soft", value=1, layer=1)])
    path = seg_nrrd(tmp_path / "two.seg.nrrd", np.stack([BONE, SOFT], axis=-1), fields)
    volume = Volume.from_file(ct, labels=path)
    assert dict(volume.label_names) == {1: "bone", 2: "soft"}
    assert np.array_equal(volume.labels, np.where(SOFT, 2, BONE))


def test_a_segment_of_a_layer_that_is_not_there_is_refused(ct, tmp_path):
    path = seg_nrrd(tmp_path / "x.seg.nrrd", np.stack([BONE, SOFT], -1), segment(0, "bone", value=1, layer=4))
    with pytest.raises(FileError, match="must hold the layers that its segments name, it holds 2"):
        Volume.from_file(ct, labels=path)


def test_almost_whole_numbers_are_rounded_and_halves_are_refused(ct, tmp_path):
    almost = 7 * BONE.astype(np.float32) * (1 + 3e-6) - 1e-7
    volume = Volume.from_file(ct, labels=write_nifti(tmp_path / "seg.nii", almost.astype("f4"), sform=AFFINE))
    assert np.array_equal(volume.labels, 7 * BONE)
    assert "labels rounded" in volume.provenance
    with pytest.raises(FileError, match=r"whole numbers as labels, it holds 3\.5"):
        Volume.from_file(ct, labels=write_nifti(tmp_path / "half.nii", 3.5 * BONE.astype("f4"), sform=AFFINE))


def test_a_map_without_labels_is_doubted(ct, tmp_path):
    volume = Volume.from_file(ct, labels=write_nifti(tmp_path / "seg.nii", 0 * BONE, sform=AFFINE))
    assert "labels empty" in volume.doubts


@pytest.fixture
def series(tmp_path: Path) -> Path:
    return write_series(tmp_path / "ct", HU + 1024)


def test_a_binary_segmentation_with_missing_frames_is_placed_slice_by_slice(series, tmp_path):
    frames = [(1, k, BONE[k]) for k in (3, 1)] + [(2, k, SOFT[k]) for k in (5, 2)]  # a gap of two slices in each
    volume = Volume.from_file(series, labels=write_seg(tmp_path / "seg.dcm", frames, kind="BINARY"))
    expected = np.zeros(SHAPE)
    for number, k, mask in frames:
        expected[k][mask > 0] = number
    assert np.array_equal(volume.labels, expected)
    assert dict(volume.label_names) == {1: "bone", 2: "soft"}


def test_a_fractional_segmentation_counts_from_one_half_and_says_so(series, tmp_path):
    pixels = np.zeros(SHAPE[1:], np.uint8)
    pixels[1] = [99, 100, 101, 200]
    volume = Volume.from_file(series, labels=write_seg(tmp_path / "seg.dcm", [(1, 2, pixels)], kind="FRACTIONAL"))
    assert volume.labels[2, 1].tolist() == [0, 1, 1, 1]
    assert volume.assumptions["labels threshold"].value == 0.5


def test_a_label_map_segmentation_is_read_from_the_folder_that_holds_it(series, tmp_path):
    (tmp_path / "seg").mkdir()
    labels = np.maximum(BONE, 2 * SOFT)
    frames = [(None, k, labels[k]) for k in range(1, 6)]
    write_seg(tmp_path / "seg" / "seg.dcm", frames, kind="LABELMAP")
    volume = Volume.from_file(series, labels=tmp_path / "seg")
    assert np.array_equal(volume.labels, labels)


def test_frames_between_the_slices_are_refused(series, tmp_path):
    path = write_seg(tmp_path / "seg.dcm", [(1, 1, BONE[1]), (1, 2, BONE[2])], kind="BINARY", shift=1.5)
    with pytest.raises(FileError, match="must lie on the grid of its volume"):
        Volume.from_file(series, labels=path)


def test_more_frames_than_pixels_are_refused(series, tmp_path):
    path = write_seg(tmp_path / "seg.dcm", [(1, 1, BONE[1])], kind="FRACTIONAL")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x28\x00\x10\x00US\x02\x00\x05\x00", b"\x28\x00\x10\x00US\x02\x00\x50\x00"))
    with pytest.raises(FileError, match=r"must hold 320 bytes of pixels|must lie on the grid"):
        Volume.from_file(series, labels=path)


def test_torch_gets_whole_numbers(ct, tmp_path):
    labels = Volume.from_file(ct, labels=write_nifti(tmp_path / "seg.nii", BONE, sform=AFFINE)).labels
    assert labels.dtype == torch.uint8
