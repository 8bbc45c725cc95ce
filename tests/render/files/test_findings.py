"""What readers assume or doubt travels with the volume: formats default as ITK takes them, contradictions are said."""

import bz2
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from support.dicom import write_series
from support.nifti import nifti_bytes, write_nifti
from xraykit.render import FileError, InputError, Volume

VOXELS = np.random.default_rng(3).integers(-1000, 2000, (4, 3, 5)).astype(np.int16)
VOXELS[0, 0, 0] = -1000
LAS = np.array([[-1.5, 0, 0, 90], [0, 2.0, 0, -120], [0, 0, 3.0, 400], [0, 0, 0, 1]])
SPACING = (1.0, 1.5, 2.0, 3.0)


def itk_affine(path: Path) -> np.ndarray:
    image = SimpleITK.ReadImage(str(path))
    direction = np.reshape(image.GetDirection(), (3, 3))
    return np.diag([-1, -1, 1]) @ np.column_stack([direction * image.GetSpacing(), image.GetOrigin()])


def agrees_with_itk(path: Path) -> Volume:
    volume = Volume.from_file(path)
    np.testing.assert_allclose(volume.affine[:3], itk_affine(path), atol=1e-5)
    assert np.array_equal(volume.hu, VOXELS.astype(np.float32))
    return volume


def text_header(path: Path, lines: list[str]) -> Path:
    path.write_bytes("\n".join([*lines, ""]).encode() + VOXELS.tobytes())
    return path


NRRD = ["NRRD0005", "type: short", "dimension: 3", "sizes: 5 3 4", "endian: little", "encoding: raw"]
META = ["ObjectType = Image", "NDims = 3", "DimSize = 5 3 4", "ElementType = MET_SHORT"]


def test_nrrd_without_space_is_taken_as_lps_and_said(tmp_path):
    volume = agrees_with_itk(text_header(tmp_path / "a.nrrd", [*NRRD, "spacings: 1.5 2 3", ""]))
    assert volume.assumptions["space"].value == "left-posterior-superior"
    assert "side is left" in volume.doubts["orientation"].note
    volume = agrees_with_itk(text_header(tmp_path / "b.nrrd", [*NRRD, ""]))
    assert volume.doubts["spacing"].value == (1.0, 1.0, 1.0)


def test_nrrd_without_origin_begins_at_zero(tmp_path):
    fields = ["space: left-posterior-superior", "space directions: (1.5,0,0) (0,2,0) (0,0,3)", ""]
    assert "space origin" in agrees_with_itk(text_header(tmp_path / "a.nrrd", [*NRRD, *fields])).assumptions


def test_metaimage_defaults_are_those_of_itk(tmp_path):
    file = "ElementDataFile = LOCAL"
    volume = agrees_with_itk(text_header(tmp_path / "a.mha", [*META, "ElementSpacing = 1.5 2 3", file]))
    assert volume.assumptions.keys() == {"Offset", "TransformMatrix", "byte order"}
    volume = agrees_with_itk(text_header(tmp_path / "b.mha", [*META, "Offset = 1 2 3", file]))
    assert "ElementSpacing" in volume.doubts


def test_a_series_of_one_volume_is_a_volume(tmp_path):
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((4.0, 5.0, 6.0))
    image.SetDirection((0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    SimpleITK.WriteImage(image, str(tmp_path / "plain.mha"))
    SimpleITK.WriteImage(SimpleITK.JoinSeries(image), str(tmp_path / "series.mha"))
    assert b"NDims = 4" in (tmp_path / "series.mha").read_bytes()
    found, wanted = (Volume.from_file(tmp_path / name) for name in ("series.mha", "plain.mha"))
    assert np.array_equal(found.affine, wanted.affine) and np.array_equal(found.hu, VOXELS.astype(np.float32))


def test_a_sequence_of_3d_slicer_with_one_volume_is_a_volume(tmp_path):
    fields = ["space: left-posterior-superior", "space directions: none (1.5,0,0) (0,2,0) (0,0,3)"]
    head = [line.replace("dimension: 3", "dimension: 4").replace("sizes: 5", "sizes: 1 5") for line in NRRD]
    fields.append("space origin: (1,2,3)")
    listed = [*head, *fields, "kinds: list domain domain domain", ""]
    volume = Volume.from_file(text_header(tmp_path / "a.seq.nrrd", listed))
    assert np.array_equal(volume.hu, VOXELS.astype(np.float32))
    assert volume.affine[:3, 3].tolist() == [-1, -2, 3] and volume.affine.diagonal().tolist() == [-1.5, -2, 3, 1]
    times = [*head, *fields, "kinds: domain domain domain time", ""]  # four times of one row
    with pytest.raises(FileError, match="must hold one volume of three axes"):
        Volume.from_file(text_header(tmp_path / "b.nrrd", times))


def test_an_anatomical_orientation_that_contradicts_the_matrix_is_doubted(tmp_path):
    lines = [*META, "ElementSpacing = 1.5 2 3", "Offset = 0 0 0"]
    for said, doubted in (("RAI", False), ("LPI", True)):
        path = text_header(tmp_path / "a.mha", [*lines, f"AnatomicalOrientation = {said}", "ElementDataFile = LOCAL"])
        assert ("AnatomicalOrientation" in Volume.from_file(path).doubts) == doubted


def test_nifti_with_both_codes_0_lies_where_method_1_puts_it_and_its_side_is_doubted(tmp_path):
    volume = Volume.from_file(write_nifti(tmp_path / "a.nii", VOXELS, pixdim=SPACING))
    np.testing.assert_allclose(volume.affine, np.diag([1.5, 2, 3, 1]))
    assert volume.assumptions["affine from"].value == "pixdim"
    assert "mirrored" in volume.doubts["orientation"].note


def test_nifti_pairs_are_read_by_either_name(tmp_path):
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing(SPACING[1:])
    SimpleITK.WriteImage(image, str(tmp_path / "a.hdr"))
    for name in ("a.hdr", "a.img"):
        volume = Volume.from_file(tmp_path / name)
        np.testing.assert_allclose(volume.affine[:3], itk_affine(tmp_path / "a.hdr"), atol=1e-5)
        assert np.array_equal(volume.hu, VOXELS.astype(np.float32))
    (tmp_path / "a.img").unlink()
    with pytest.raises(FileError, match=r"a\.img must lie beside it"):
        Volume.from_file(tmp_path / "a.hdr")


@pytest.mark.parametrize("order", "<>")
def test_nifti_2_is_read(tmp_path, order):
    header = bytearray(544)
    struct.pack_into(order + "i8s2h", header, 0, 540, b"n+2\0\r\n\x1a\n", 4, 16)
    struct.pack_into(order + "8q", header, 16, 3, 5, 3, 4, 1, 1, 1, 1)
    struct.pack_into(order + "8d", header, 104, *SPACING, 1, 1, 1, 1)
    struct.pack_into(order + "q2d", header, 168, 544, 2.0, -24.0)
    struct.pack_into(order + "2i", header, 344, 0, 1)
    struct.pack_into(order + "12d", header, 400, *LAS[:3].ravel())
    struct.pack_into(order + "i", header, 500, 2)
    path = tmp_path / "ct.nii"
    path.write_bytes(bytes(header) + VOXELS.astype(order + "i2").tobytes())
    volume = Volume.from_file(path)
    np.testing.assert_allclose(volume.affine, LAS)
    assert np.array_equal(volume.hu, 2.0 * VOXELS - 24)
    assert not volume.doubts


def test_a_spacing_that_contradicts_the_sform_is_doubted(tmp_path):
    volume = Volume.from_file(write_nifti(tmp_path / "a.nii", VOXELS, sform=np.eye(4), pixdim=(1, 2, 2, 3)))
    assert volume.doubts["pixdim"].value == "2 x 2 x 3"
    assert not Volume.from_file(write_nifti(tmp_path / "b.nii", VOXELS, sform=LAS, pixdim=SPACING)).doubts


def test_an_intercept_beside_the_slope_0_is_doubted(tmp_path):
    path = write_nifti(tmp_path / "a.nii", VOXELS, sform=LAS, pixdim=SPACING, slope=(0.0, -1024.0))
    assert Volume.from_file(path).doubts["rescale intercept"].value == -1024


def ball(offset: float = 0.0, scale: float = 1.0) -> np.ndarray:
    hu = np.full((6, 6, 6), -1000.0, np.float32)
    hu[1:5, 1:5, 1:5], hu[2, 2, 2] = 40.0, 1500.0
    return ((hu + offset) * scale).astype(np.float32)


@pytest.mark.parametrize(
    ("voxels", "words"),
    [
        (ball(), None),
        (ball(1024), "no air"),
        (np.maximum(ball(), 0), "masked with 0"),
        (ball(1000, 1 / 2500), "scaled to 0..1"),
        (np.full((4, 4, 4), -1024, np.float32), "all voxels are the same"),
        (ball(scale=100), "rescale applied twice"),
        (ball() % 65536, "a sign that nobody states"),
        (np.where(np.arange(6) == 0, -32768, ball()).astype(np.float32), "may be padding"),
        (np.where(ball() > -1000, np.where(np.arange(6) == 3, -700, ball()), 0).astype(np.float32), "masked with 0"),
    ],
)
def test_values_that_are_no_hounsfield_numbers_are_doubted(tmp_path, voxels, words):
    doubts = Volume.from_file(write_nifti(tmp_path / "a.nii", voxels, sform=np.eye(4))).doubts
    if words is None:
        assert not doubts
    else:
        assert words in doubts["voxels"].note
    if words is not None:
        assert not Volume.from_file(tmp_path / "a.nii", modality="MR").doubts


def test_findings_stay_with_the_volume_through_its_changes(tmp_path):
    volume = Volume.from_file(write_nifti(tmp_path / "a.nii", ball(1024), sform=np.eye(4)))
    assert volume.to("cpu").with_mu(volume.mu * 2).stored_as(volume.mu.dtype).doubts == volume.doubts != {}


@pytest.mark.parametrize("qform", [(0.0, 0.0, 1.0, 24.0, 20.0, 100.0), None])
def test_a_negative_spacing_mirrors_nobody_and_is_doubted(tmp_path, qform):
    good, odd = (
        Volume.from_file(
            write_nifti(tmp_path / f"{x}.nii", VOXELS, qform=qform, pixdim=(1.0, x, 2.0, 3.0), dim=(4, 5, 3, 4, 0))
        )
        for x in (1.5, -1.5)
    )
    assert np.array_equal(good.affine, odd.affine)
    assert odd.doubts["pixdim"].value == "-1.5 x 2 x 3" and "pixdim" not in good.doubts


@pytest.mark.parametrize("spare", [b"\0" * 100, b"spare bytes", b"\x1f"])
def test_bytes_behind_a_gzip_stream_are_left_alone_and_members_are_joined(tmp_path, spare):
    content = nifti_bytes(VOXELS, sform=LAS, pixdim=SPACING)
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]) + spare)
    assert np.array_equal(Volume.from_file(path).hu, VOXELS.astype(np.float32))


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    header = nifti_bytes(VOXELS[:1, :1, :1].astype("u1"), sform=LAS, dim=(3, 1024, 1024, 640))[:352]
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(header) + b"\0" * 700_000)
    lines = [*NRRD[:3], "sizes: 1024 1024 640", "endian: little", "encoding: bzip2", "spacings: 1 1 1", ""]
    (tmp_path / "a.nrrd").write_bytes("\n".join([*lines, ""]).encode() + bz2.compress(bytes(1 << 20)) + bytes(5000))
    for name in ("a.nii.gz", "a.nrrd"):
        with pytest.raises(FileError, match="refused as a decompression bomb"):
            Volume.from_file(tmp_path / name)


def test_a_data_file_that_links_into_a_store_is_read(tmp_path):
    store = tmp_path / ".git" / "annex" / "objects" / "X" / "KEY"
    store.mkdir(parents=True)
    (store / "KEY").write_bytes(VOXELS.tobytes())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "ct.raw").symlink_to(Path("..") / ".git/annex/objects/X/KEY/KEY")
    path = tmp_path / "sub" / "ct.mhd"
    path.write_text("\n".join([*META, "ElementSpacing = 1.5 2 3", "ElementDataFile = ct.raw", ""]))
    assert np.array_equal(Volume.from_file(path).hu, VOXELS.astype(np.float32))


def test_one_slice_alone_is_doubted(tmp_path):
    folder = write_series(tmp_path / "ct", VOXELS + 1024, shuffle=False)
    alone = write_series(tmp_path / "alone", VOXELS[:1] + 1024)
    assert "a slab of its SliceThickness" in Volume.from_file(alone).doubts["slices"].note
    assert "slices" not in Volume.from_file(folder).provenance


def test_rescale_slope_0_is_taken_as_1_and_doubted(tmp_path):
    def edit(n, dataset):
        dataset.RescaleSlope = 0

    volume = Volume.from_file(write_series(tmp_path / "ct", VOXELS + 1024, edit=edit))
    assert np.array_equal(volume.hu, VOXELS.astype(np.float32))
    assert "rescale slope" in volume.doubts


@pytest.mark.parametrize(("scale", "is_odd"), [(1e-3, True), (1.0, False), (1e3, True)])
def test_a_volume_that_no_patient_fills_is_doubted(tmp_path, scale, is_odd):
    affine = np.diag([scale * 20, scale * 20, scale * 20, 1.0])
    path = tmp_path / "a.nii"
    path.write_bytes(nifti_bytes(VOXELS, sform=affine, pixdim=(1.0, *[scale * 20] * 3)))
    assert ("extent" in Volume.from_file(path).doubts) == is_odd


@pytest.mark.parametrize(
    ("tags", "name"),
    [({}, None), ({"SpacingBetweenSlices": "6"}, "slice distance"), ({"SliceThickness": "1"}, "gaps")],
)
def test_slices_that_lie_further_apart_than_the_tags_say_are_doubted(tmp_path, tags, name):
    def edit(n, dataset):
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)

    doubts = set(Volume.from_file(write_series(tmp_path / "ct", VOXELS + 1024, edit=edit)).doubts)
    assert doubts & {"slice distance", "gaps"} == ({name} if name else set())


def test_options_of_dicom_are_refused_for_other_files(tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(nifti_bytes(VOXELS, sform=LAS, pixdim=SPACING))
    for options in ({"series": "1"}, {"resample_slices": True}):
        with pytest.raises(InputError, match="choose among DICOM slices"):
            Volume.from_file(path, **options)
