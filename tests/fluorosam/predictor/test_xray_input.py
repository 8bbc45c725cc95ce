"""X-rays of any kind as grey values with a known bone tone; what is none ends in a sentence."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.xray_dicom import write_xray, xray_dataset
from xraykit.fluorosam.predictor import XrayFileSettings, open_xray
from xraykit.render import FileError, InputError, Radiograph


def picture(height=40, width=60):
    """Brighter to the right, with something in the middle."""
    values = np.tile(np.linspace(0.1, 0.9, width), (height, 1))
    values[10:30, 20:30] = 0.95
    return values


def saved(folder, name, values):
    Image.fromarray(values).save(folder / name)
    return folder / name


def same_up_to_scale(one, other):
    first, second = (values.double().flatten() - values.double().mean() for values in (one, other))
    return float(first @ second / (first.norm() * second.norm()))


@pytest.mark.parametrize(
    "name, dtype, scale", [("a.png", np.uint8, 255), ("b.png", np.uint16, 65535), ("c.tif", np.float32, 3)]
)
def test_pictures_of_8_and_16_bits_and_floats_are_bone_bright(tmp_path, name, dtype, scale):
    opened = open_xray(saved(tmp_path, name, (picture() * scale).astype(dtype)))
    assert opened.bone == "bright" and opened.size == (40, 60) and opened.name == name
    assert same_up_to_scale(opened.grey, torch.from_numpy(picture())) > 0.999
    assert any("is assumed" in note for note in opened.notes)


def test_bone_that_the_user_calls_dark_is_turned(tmp_path):
    path = saved(tmp_path, "a.png", ((1 - picture()) * 255).astype(np.uint8))
    opened = open_xray(path, XrayFileSettings(bone="dark"))
    assert opened.bone == "bright" and opened.notes == ()
    assert same_up_to_scale(opened.grey, torch.from_numpy(picture())) > 0.999


@pytest.mark.parametrize(
    "modality, photometric, bone_bright",
    [("DX", "MONOCHROME2", True), ("DX", "MONOCHROME1", False), ("XA", "MONOCHROME2", False)],
)
def test_dicom_says_itself_what_bone_is(tmp_path, modality, photometric, bone_bright):
    values = picture() if bone_bright else 1 - picture()
    dataset = xray_dataset(
        (values * 4000 + 10).astype(np.uint16), modality=modality, PhotometricInterpretation=photometric
    )
    opened = open_xray(write_xray(tmp_path / "x.dcm", dataset), XrayFileSettings(whole=True))
    assert opened.bone == "bright" and same_up_to_scale(opened.grey, torch.from_numpy(picture())) > 0.8


@pytest.mark.parametrize("polarity", ["intensity", "log_intensity", "log_attenuation", "line_integral"])
def test_calling_bone_by_the_other_tone_gives_the_negative(polarity):
    image = torch.from_numpy(picture())[None].float() + 0.1
    bright = polarity in ("log_attenuation", "line_integral")
    own, other = ("bright", "dark") if bright else ("dark", "bright")
    auto, plain, turned = (
        open_xray(Radiograph(image, polarity), XrayFileSettings(bone=bone, whole=True)) for bone in ("auto", own, other)
    )
    assert torch.equal(auto.grey, plain.grey)
    assert same_up_to_scale(plain.grey, turned.grey) < -0.8


def test_a_frame_is_chosen_and_must_be_there(tmp_path):
    frames = np.stack([(picture() * 4000).astype(np.uint16), ((1 - picture()) * 4000).astype(np.uint16)])
    path = write_xray(tmp_path / "cine.dcm", xray_dataset(frames))
    with pytest.raises(InputError, match=r"cine.dcm holds 2 frames; choose one with --frame N"):
        open_xray(path)
    with pytest.raises(InputError, match="--frame must be 0 to 1, counted from 0, got 2"):
        open_xray(path, XrayFileSettings(frame=2))
    assert open_xray(path, XrayFileSettings(frame=1)).frame == 1


def test_pixels_beyond_the_collimator_do_not_count_unless_asked_for(tmp_path):
    generator = np.random.default_rng(0)
    values = np.zeros((200, 200))
    values[40:160, 50:150] = 0.4 + 0.2 * generator.random((120, 100))
    path = write_xray(tmp_path / "x.dcm", xray_dataset((values * 4000).astype(np.uint16)))
    inside = open_xray(path).grey
    assert float(inside[0, 0]) == pytest.approx(float(inside[60:140, 70:130].median()), abs=0.05)
    whole = open_xray(path, XrayFileSettings(whole=True)).grey
    assert float(whole[0, 0]) > float(whole[60:140, 70:130].max())


@pytest.mark.parametrize(
    "values",
    [
        picture(),
        picture().astype(np.float32),
        (picture() * 255).astype(np.uint8),
        (picture() * 65535).astype(np.uint16),
    ],
)
def test_arrays_and_tensors_of_any_type_are_taken(values):
    from_array = open_xray(values, XrayFileSettings(bone="dark"))
    assert from_array.bone == "dark" and from_array.grey.is_floating_point() and from_array.size == (40, 60)
    from_tensor = open_xray(torch.from_numpy(values), XrayFileSettings(bone="dark"))
    torch.testing.assert_close(from_array.grey.double(), from_tensor.grey.double())


@pytest.mark.parametrize(
    "values, words",
    [
        (np.zeros((40, 60, 3)), r"must be \(H, W\) grey values"),
        (np.zeros(40), r"must be \(H, W\) grey values"),
        (np.full((40, 60), "a"), r"must be \(H, W\) grey values"),
        (np.full((40, 60), 7.0), "the value 7 in every pixel"),
        (np.where(picture() > 0.9, np.nan, 1.0), "NaN or infinity"),
        (np.arange(2.0).reshape(1, 2), "must have 8 pixels along each edge, got 2 x 1"),
    ],
)
def test_arrays_that_show_nothing_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        open_xray(values, XrayFileSettings(bone="bright"))


def test_huge_images_are_refused_before_they_fill_the_memory():
    with pytest.raises(InputError, match="at most 67 million pixels, got 10000 x 10000"):
        open_xray(torch.zeros(1, 1).expand(10_000, 10_000), XrayFileSettings(bone="bright"))


def test_an_image_of_10000_pixels_along_one_edge_is_taken():
    assert open_xray(torch.rand(20, 10_000), XrayFileSettings(bone="bright")).size == (20, 10_000)


def test_arrays_need_their_bone_tone():
    with pytest.raises(InputError, match="an array must come with bone='bright' or 'dark'"):
        open_xray(picture())
    with pytest.raises(InputError, match="bone must be bright, dark or auto"):
        open_xray(picture(), XrayFileSettings(bone="grey"))


def test_files_that_are_no_xrays_are_refused(tmp_path):
    grey = (picture() * 255).astype(np.uint8)
    colour = saved(tmp_path, "colour.png", np.stack([grey, grey // 2, grey // 3], -1))
    with pytest.raises(FileError, match="must be grey, got colours"):
        open_xray(colour)
    assert open_xray(colour, XrayFileSettings(colour="luma")).size == (40, 60)
    with pytest.raises(InputError, match="the value 9 in every pixel"):
        open_xray(saved(tmp_path, "flat.png", np.full((20, 20), 9, np.uint8)))
    with pytest.raises(InputError, match="8 pixels along each edge, got 2 x 1"):
        open_xray(saved(tmp_path, "two.png", np.array([[1, 200]], np.uint8)))
    with pytest.raises(FileError, match="does not exist"):
        open_xray(tmp_path / "gone.png")
    with pytest.raises(FileError, match="does not exist; check the path"):
        open_xray("a\0b")
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    with pytest.raises(FileError, match="must be an X-ray image"):
        open_xray(tmp_path / "text.png")


def test_frames_become_the_densest_moment_and_one_frame_needs_no_reduction(tmp_path):
    early, late = np.ones((40, 60)), np.ones((40, 60))
    early[10:20], late[25:35] = 0.1, 0.2
    frames = (4000 * np.stack([early, late])).astype(np.uint16)
    path = write_xray(tmp_path / "cine.dcm", xray_dataset(frames, modality="XA"))
    opened = open_xray(path, XrayFileSettings(reduce="max", whole=True))
    assert float(opened.grey[15, 5]) == pytest.approx(np.log(10), abs=0.05)
    assert float(opened.grey[30, 5]) == pytest.approx(np.log(5), abs=0.05)
    assert opened.frame is None
    with pytest.raises(InputError, match="either --frame or --reduce"):
        open_xray(path, XrayFileSettings(reduce="max", frame=0))


def test_what_is_doubtful_of_a_file_is_known(tmp_path):
    values = (4000 * picture() + 10).astype(np.uint16)
    dataset = xray_dataset(values, modality="DX", BurnedInAnnotation="YES", FieldOfViewHorizontalFlip="YES")
    doubts = open_xray(write_xray(tmp_path / "x.dcm", dataset)).doubts
    assert any("burnt" in doubt or "burned" in doubt for doubt in doubts)
    assert any("stored mirrored" in doubt for doubt in doubts)


def test_a_stated_polarity_is_no_assumption(tmp_path):
    path = saved(tmp_path, "a.png", ((1 - picture()) * 255).astype(np.uint8))
    opened = open_xray(path, XrayFileSettings(polarity="log_intensity"))
    assert opened.notes == () and same_up_to_scale(opened.grey, torch.from_numpy(picture())) > 0.999
