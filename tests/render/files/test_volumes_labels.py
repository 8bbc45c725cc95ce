"""Label maps: the same points in any voxel order are accepted, any other grid is refused."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.nifti import write_nifti
from xraykit.render import FileError, Volume, write_volume
from xraykit.render.storage.nifti_names import extension_with_names

SHAPE = (4, 3, 5)
HU = np.zeros(SHAPE, np.int16)
LABELS = np.random.default_rng(0).integers(0, 9, SHAPE).astype(np.uint8)
OBLIQUE = np.array([[1.4, 0.3, 0.1, 10], [-0.3, 1.9, 0.2, 20], [0.1, -0.2, 3.0, 30], [0, 0, 0, 1]])


def load(tmp_path: Path, labels: np.ndarray, affine: np.ndarray, **options) -> Volume:
    ct = write_nifti(tmp_path / "ct.nii", HU, sform=OBLIQUE)
    seg = write_nifti(tmp_path / "seg.nii", labels, sform=affine)
    return Volume.from_file(ct, labels=seg, **options)


def reordered(axes: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The same labels at the same points, stored with axes swapped and flipped."""
    ijk = LABELS.transpose(2, 1, 0)
    to_original = np.eye(4)[[*axes, 3]].T  # stored axis n is original axis axes[n]
    stored = ijk.transpose(axes)
    for n, flip in enumerate(flips):
        if flip:
            mirror = np.eye(4)
            mirror[n, n], mirror[n, 3] = -1, stored.shape[n] - 1
            to_original = to_original @ mirror
            stored = np.flip(stored, n)
    return np.ascontiguousarray(stored.transpose(2, 1, 0)), OBLIQUE @ to_original


def test_labels_on_the_same_grid_are_taken_as_they_are(tmp_path):
    volume = load(tmp_path, LABELS, OBLIQUE)
    assert volume.labels.dtype == torch.uint8
    assert torch.equal(volume.labels, torch.from_numpy(LABELS))


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product((False, True), repeat=3)))
def test_every_order_of_the_same_points_is_brought_back(tmp_path, axes, flips):
    volume = load(tmp_path, *reordered(axes, flips))
    assert torch.equal(volume.labels, torch.from_numpy(LABELS))


def test_a_hair_of_displacement_is_forgiven_and_a_tenth_of_a_voxel_is_not(tmp_path):
    near, far = OBLIQUE.copy(), OBLIQUE.copy()
    near[:3, 3] += 0.02
    far[:3, 3] += 0.1 * OBLIQUE[:3, 0]
    assert torch.equal(load(tmp_path, LABELS, near).labels, torch.from_numpy(LABELS))
    with pytest.raises(FileError, match="must lie on the grid of its volume"):
        load(tmp_path, LABELS, far)


@pytest.mark.parametrize(
    "change",
    [
        np.diag([2, 1, 1, 1]),
        np.diag([1, 1, 1.05, 1]),
        np.array([[1, 0.1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    ],
)
def test_another_spacing_or_shear_is_refused(tmp_path, change):
    with pytest.raises(FileError, match="must lie on the grid"):
        load(tmp_path, LABELS, OBLIQUE @ change)


def test_the_refusal_names_both_grids(tmp_path):
    with pytest.raises(
        FileError, match=r"ct.nii has 5 x 3 x 4 voxels of .*seg.nii has 5 x 3 x 3 voxels of .*; resample"
    ):
        load(tmp_path, LABELS[:3], OBLIQUE @ np.diag([1, 1, 1.5, 1]))


def test_a_flip_without_its_translation_is_refused(tmp_path):
    with pytest.raises(FileError, match="must lie on the grid"):
        load(tmp_path, LABELS, OBLIQUE @ np.diag([-1, 1, 1, 1]))


@pytest.mark.parametrize(("value", "dtype"), [(255, torch.uint8), (256, torch.int16), (32767, torch.int16)])
def test_labels_take_the_smallest_type_that_holds_them(tmp_path, value, dtype):
    volume = load(tmp_path, np.full(SHAPE, value, np.int32), OBLIQUE)
    assert volume.labels.dtype == dtype
    assert int(volume.labels.max()) == value


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.full(SHAPE, 0.5, np.float32), "whole numbers as labels, it holds 0.5"),
        (np.full(SHAPE, -1, np.int16), "labels from 0 to 32767, its voxels run from -1"),
        (np.full(SHAPE, 40000, np.int32), "labels from 0 to 32767"),
        (np.full(SHAPE, np.nan, np.float32), "whole numbers as labels, it holds nan"),
    ],
)
def test_voxels_that_are_no_labels_are_refused(tmp_path, labels, match):
    with pytest.raises(FileError, match=match):
        load(tmp_path, labels, OBLIQUE)


def test_whole_numbers_stored_as_floats_are_labels(tmp_path):
    assert torch.equal(load(tmp_path, LABELS.astype(np.float32), OBLIQUE).labels, torch.from_numpy(LABELS))


def test_names_come_from_the_file_unless_given(tmp_path):
    ct = write_nifti(tmp_path / "ct.nii", HU, sform=OBLIQUE)
    names = {1: "liver", 8: "hip <left> & more"}
    for name in ("seg.nii.gz", "seg.nrrd"):
        seg = write_volume(tmp_path / name, LABELS, OBLIQUE, label_names=names)
        assert dict(Volume.from_file(ct, labels=seg).label_names) == names
        assert dict(Volume.from_file(ct, labels=seg, label_names={1: "bead"}).label_names) == {1: "bead"}
    assert dict(load(tmp_path, LABELS, OBLIQUE).label_names) == {}
    assert load(tmp_path, LABELS, OBLIQUE, label_names="totalsegmentator_v2").label_names[5] == "liver"


def test_totalsegmentators_own_extension_is_understood(tmp_path):
    xml = (
        b'<?xml version="1.0" encoding="UTF-8"?> <CaretExtension> <VolumeInformation Index="0"> <LabelTable>\n'
        b'<Label Key="5" Red="0.0" Green="1.0" Blue="0.0" Alpha="1"><![CDATA[liver]]></Label>\n'
        b"</LabelTable> </VolumeInformation></CaretExtension>\n\0\0"
    )
    xml += b"\0" * (-(len(xml) + 8) % 16)
    extension = np.array([len(xml) + 8, 0], "<i4").tobytes() + xml
    ct = write_nifti(tmp_path / "ct.nii", HU, sform=OBLIQUE)
    seg = write_nifti(tmp_path / "seg.nii.gz", LABELS, sform=OBLIQUE, extension=extension)
    assert dict(Volume.from_file(ct, labels=seg).label_names) == {5: "liver"}


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "'
    + b"a" * 50
    + b'">]><LabelTable><Label Key="1">&a;</Label></LabelTable>'
)


@pytest.mark.parametrize(
    "content",
    [
        BOMB,
        b"<LabelTable><Label Key='x'>a</Label></LabelTable>",
        b"<LabelTable><Label Key='-1'>a</Label></LabelTable>",
        b"<LabelTable><Label",
        b"<?xml version='1.0' encoding='UTF-H'?><LabelTable></LabelTable>",
    ],
)
def test_names_that_cannot_be_trusted_are_dropped_and_the_labels_read(tmp_path, content):
    content += b"\0" * (-(len(content) + 8) % 16)
    extension = np.array([len(content) + 8, 30], "<i4").tobytes() + content
    ct = write_nifti(tmp_path / "ct.nii", HU, sform=OBLIQUE)
    seg = write_nifti(tmp_path / "seg.nii", LABELS, sform=OBLIQUE, extension=extension)
    volume = Volume.from_file(ct, labels=seg)
    assert dict(volume.label_names) == {}
    assert torch.equal(volume.labels, torch.from_numpy(LABELS))


@given(st.dictionaries(st.integers(0, 999), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)))
def test_any_name_survives_the_extension(names):
    from xraykit.render.storage.nifti_names import names_from_extensions

    extension = extension_with_names(names)
    assert len(extension) % 16 == 0
    assert names_from_extensions(extension, "<") == names
