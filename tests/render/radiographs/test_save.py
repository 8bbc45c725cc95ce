"""Written X-rays: the numbers come back, the geometry comes back, no patient, and never half a file."""

import json

import numpy as np
import pydicom
import pytest
import SimpleITK
import torch
from PIL import Image
from xraykit.render import Camera, GeometryError, InputError, OutputError, carm_pose, read_radiograph, save_image
from xraykit.render.radiographs import check_writable

CAMERA = Camera(sdd=1020.5, height=5, width=7, pixel_spacing=(0.31, 0.29), principal_point=(3.1, 2.2))
POSE = carm_pose(lao_rao=30.0, cra_cau=-12.0, roll=5.0, sod=torch.tensor(700.0, dtype=torch.float64))
IMAGE = torch.linspace(0.0, 6.5, 35).reshape(1, 1, 5, 7)


def test_npy_holds_the_float32_array_untouched(tmp_path):
    image = torch.rand(2, 3, 5, 7)
    path = save_image(tmp_path / "x.npy", image, mirrored=True)
    back = np.load(path, allow_pickle=False)
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, image.numpy())


@pytest.mark.parametrize("suffix", ["tif", "tiff"])
def test_tiff_returns_every_page_with_camera_and_pose(tmp_path, suffix):
    image = torch.rand(2, 3, 5, 7)
    path = save_image(tmp_path / f"x.{suffix}", image, camera=CAMERA, pose=POSE)
    back = read_radiograph(path)
    np.testing.assert_array_equal(back.pixels.numpy(), image.reshape(6, 5, 7).numpy())
    assert back.polarity == "line_integral"
    assert not back.provenance["polarity"].is_assumed
    same_camera(back.camera, CAMERA)
    pose = torch.tensor(back.provenance["camera_to_world"].value, dtype=torch.float64).reshape(1, 4, 4)
    torch.testing.assert_close(pose, POSE, rtol=0, atol=0)


def same_camera(found, expected):
    assert (found.height, found.width) == (expected.height, expected.width)
    assert found.sdd == pytest.approx(expected.sdd, rel=1e-9)
    assert tuple(found.pixel_spacing) == pytest.approx(expected.pixel_spacing, rel=1e-9)
    assert tuple(found.principal_point) == expected.principal_point


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_dicom_returns_line_integrals_within_half_a_step_and_the_camera(tmp_path, scale):
    image = scale * (torch.rand(1, 1, 5, 7, generator=torch.Generator().manual_seed(0)) - 0.1)
    path = save_image(tmp_path / "x.dcm", image, camera=CAMERA, pose=POSE, sod=700.0)
    back = read_radiograph(path)
    step = float(image.max() - image.min()) / 65535
    assert float((back.pixels - image[:, 0]).abs().max()) <= 0.51 * step + 1e-6 * scale
    assert back.polarity == "line_integral"
    assert not back.assumptions
    same_camera(back.camera, CAMERA)


@pytest.mark.parametrize("suffix", ["dcm", "tiff"])
def test_another_reader_finds_the_same_line_integrals(tmp_path, suffix):
    path = save_image(tmp_path / f"x.{suffix}", IMAGE, camera=CAMERA, pose=POSE)
    found = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).reshape(5, 7)
    np.testing.assert_allclose(found, IMAGE[0, 0].numpy(), atol=6.5 / 65535)


def test_dicom_states_the_geometry_in_standard_tags(tmp_path):
    dataset = pydicom.dcmread(save_image(tmp_path / "x.dcm", IMAGE, camera=CAMERA, pose=POSE, sod=700.0))
    assert float(dataset.DistanceSourceToDetector) == 1020.5
    assert float(dataset.DistanceSourceToPatient) == 700.0
    assert [float(v) for v in dataset.ImagerPixelSpacing] == [0.31, 0.29]
    assert float(dataset.PositionerPrimaryAngle) == pytest.approx(30.0, abs=1e-9)
    assert float(dataset.PositionerSecondaryAngle) == pytest.approx(-12.0, abs=1e-9)
    assert (dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign) == ("LOG", -1)
    facts = read_radiograph(tmp_path / "x.dcm").provenance
    pose = torch.tensor(facts["camera_to_world"].value, dtype=torch.float64).reshape(1, 4, 4)
    torch.testing.assert_close(pose, POSE, rtol=0, atol=0)


def test_dicom_of_several_views_has_frames_with_angle_increments(tmp_path):
    pose = carm_pose(lao_rao=torch.tensor([10.0, 40.0]), cra_cau=torch.tensor([0.0, -5.0]), sod=700.0)
    path = save_image(tmp_path / "x.dcm", torch.cat([IMAGE, 2 * IMAGE]), camera=CAMERA, pose=pose)
    dataset = pydicom.dcmread(path)
    assert [float(v) for v in dataset.PositionerPrimaryAngleIncrement] == pytest.approx([0.0, 30.0], abs=1e-4)
    assert [float(v) for v in dataset.PositionerSecondaryAngleIncrement] == pytest.approx([0.0, -5.0], abs=1e-4)
    assert read_radiograph(path).pixels[1].max().item() == pytest.approx(13.0, abs=1e-3)


def test_dicom_carries_no_patient_no_date_and_random_identifiers(tmp_path):
    first = pydicom.dcmread(save_image(tmp_path / "a.dcm", IMAGE, camera=CAMERA))
    second = pydicom.dcmread(save_image(tmp_path / "b.dcm", IMAGE, camera=CAMERA))
    assert (first.PatientName, first.PatientID) == ("SIMULATED", "SIMULATED")
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName"):
        assert not first[keyword].value
    assert first.SOPInstanceUID != second.SOPInstanceUID


def test_same_seed_and_content_give_the_same_dicom_bytes(tmp_path):
    def written(name, image, seed, pose=POSE):
        return save_image(tmp_path / name, image, camera=CAMERA, pose=pose, uid_seed=seed).read_bytes()

    first = written("a.dcm", IMAGE, "s")
    assert written("b.dcm", IMAGE, "s") == first
    assert written("c.dcm", IMAGE, "t") != first
    other = POSE.clone()
    other[0, 0, 3] += 1e-6
    uids = [
        pydicom.dcmread(save_image(tmp_path / "d.dcm", IMAGE, camera=CAMERA, pose=p, uid_seed="s")).SOPInstanceUID
        for p in (POSE, other)
    ]
    assert uids[0] != uids[1]


def test_dicom_of_a_constant_image_is_written(tmp_path):
    back = read_radiograph(save_image(tmp_path / "x.dcm", torch.full((1, 1, 5, 7), 2.5), camera=CAMERA))
    assert float((back.pixels - 2.5).abs().max()) < 1e-6


def test_labels_are_added_up_where_a_format_holds_one_channel(tmp_path):
    image = torch.cat([IMAGE, 2 * IMAGE], dim=1)
    back = read_radiograph(save_image(tmp_path / "x.dcm", image, camera=CAMERA))
    assert back.pixels.max().item() == pytest.approx(19.5, abs=1e-3)
    window = {"window": (0.0, 19.5)}
    both = np.asarray(Image.open(save_image(tmp_path / "a.png", image, **window)))
    np.testing.assert_array_equal(both, np.asarray(Image.open(save_image(tmp_path / "b.png", 3 * IMAGE, **window))))


def picture(tmp_path, **options):
    with Image.open(save_image(tmp_path / "x.png", IMAGE, **options)) as file:
        return np.asarray(file)


def test_png_is_linear_in_the_window_and_bone_is_bright(tmp_path):
    found = picture(tmp_path, window=(0.0, 6.5))
    assert found.dtype == np.uint8
    expected = np.rint(IMAGE[0, 0].numpy() / 6.5 * 255)
    np.testing.assert_array_equal(found, expected)
    assert picture(tmp_path, window=(1.0, 2.0)).min() == 0
    assert picture(tmp_path, window=(1.0, 2.0)).max() == 255


def test_bone_dark_is_the_negative_and_mirrored_turns_left_and_right(tmp_path):
    plain = picture(tmp_path)
    np.testing.assert_array_equal(picture(tmp_path, style="bone_dark"), 255 - plain)
    np.testing.assert_array_equal(picture(tmp_path, mirrored=True), plain[:, ::-1])


def test_sixteen_bit_png(tmp_path):
    found = picture(tmp_path, window=(0.0, 6.5), bits=16)
    assert (found.dtype, int(found.max())) == (np.uint16, 65535)


def test_mirroring_changes_pictures_only(tmp_path):
    for suffix in ("dcm", "tiff"):
        path = save_image(tmp_path / f"x.{suffix}", IMAGE, camera=CAMERA, mirrored=True)
        assert read_radiograph(path).pixels[0, 0, 0].item() == pytest.approx(0.0, abs=1e-4)


def test_constant_picture_is_black(tmp_path):
    path = save_image(tmp_path / "x.png", torch.full((1, 1, 4, 4), 3.0))
    assert np.asarray(Image.open(path)).max() == 0


@pytest.mark.parametrize(
    ("name", "image", "options", "message"),
    [
        ("x.bmp", IMAGE, {}, r"must end in \.npy, \.tif, \.tiff, \.png, \.dcm, got '\.bmp'"),
        ("x", IMAGE, {}, "got 'no suffix'"),
        ("x.npy", IMAGE[0], {}, r"image must be floating point \(B, C, H, W\)"),
        ("x.npy", IMAGE / 0, {}, "image must be finite, got NaN or infinity"),
        ("x.dcm", IMAGE, {}, "needs the camera for its geometry tags"),
        ("x.dcm", IMAGE, {"camera": CAMERA, "sod": 1100.0}, "sod must lie between 0 and sdd, got sod=1100.0 mm"),
        ("x.dcm", IMAGE, {"camera": Camera(sdd=1.0, height=9, width=9)}, "must have the image size 5x7, got 9x9"),
        (
            "x.tif",
            IMAGE,
            {"camera": Camera(sdd=torch.tensor([900.0, 901.0]), height=5, width=7)},
            "one camera, got a batch of 2",
        ),
        ("x.tif", IMAGE, {"pose": POSE.expand(3, 4, 4)}, r"pose must be \(1, 4, 4\) or \(1, 4, 4\), got \(3, 4, 4\)"),
        ("x.png", IMAGE.expand(2, 1, 5, 7), {}, "holds one picture, got 2 views"),
        ("x.png", IMAGE, {"window": (2.0, 2.0)}, r"window must be \(low, high\) with low < high, got \(2.0, 2.0\)"),
        ("x.png", IMAGE, {"style": "film"}, "style must be bone_bright or bone_dark and bits 8 or 16, got 'film'"),
    ],
)
def test_bad_input_writes_nothing(tmp_path, name, image, options, message):
    with pytest.raises(InputError, match=message):
        save_image(tmp_path / name, image, **options)
    assert not list(tmp_path.iterdir())


def test_a_pose_that_is_no_rigid_motion_writes_nothing(tmp_path):
    with pytest.raises(GeometryError, match="must be a rigid motion"):
        save_image(tmp_path / "x.dcm", IMAGE, camera=CAMERA, pose=2 * POSE)
    assert not list(tmp_path.iterdir())


def test_unwritable_places_are_output_errors_before_and_after_the_work(tmp_path):
    file = tmp_path / "file"
    file.write_text("here")
    for act in (check_writable, lambda path: save_image(path, IMAGE)):
        with pytest.raises(OutputError, match=r"must lie in an existing folder, got .*none; make it first"):
            act(tmp_path / "none" / "x.npy")
        with pytest.raises(OutputError, match="must lie in an existing folder"):
            act(file / "x.npy")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(OutputError, match="must be a file to write, got a folder"):
        check_writable(tmp_path / "folder.npy")
    with pytest.raises(InputError, match="must end in"):
        check_writable(tmp_path / "x.gif")
    assert check_writable(tmp_path / "x.npy") == tmp_path / "x.npy"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.npy"]


def test_read_only_folder_is_an_output_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(OutputError, match="must lie in a writable folder, got Permission denied"):
        check_writable(tmp_path / "x.npy")


def test_failing_disk_keeps_the_old_file_and_leaves_nothing_else(tmp_path, monkeypatch):
    path = save_image(tmp_path / "x.npy", IMAGE)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(OutputError, match=r"could not be written \(No space left on device\)"):
        save_image(path, 2 * IMAGE)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.npy"]


def test_tiff_description_of_another_hand_gives_no_camera(tmp_path):
    for ours in ({"sdd": "far", "pixel_spacing": [1, 1], "principal_point": [1, 1]}, {"sdd": -1}, [1, 2], {"a": 1}):
        text = json.dumps({"xraykit": ours})
        Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "x.tif", tiffinfo={270: text})
        assert read_radiograph(tmp_path / "x.tif").camera is None


def test_dicom_refuses_more_rows_than_its_tag_can_say(tmp_path):
    with pytest.raises(InputError, match="at most 65535 rows and columns"):
        save_image(tmp_path / "x.dcm", torch.zeros(1, 1, 1, 70000), camera=Camera(sdd=1000.0, height=1, width=70000))
    assert not list(tmp_path.iterdir())
