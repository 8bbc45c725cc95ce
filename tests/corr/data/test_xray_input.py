"""Any X-ray becomes a bone-bright square that knows its original; what cannot be one is refused in a sentence."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.corr_matchers import bone
from support.xray_dicom import write_xray, xray_dataset
from xraykit.corr.data import PreparedXray, XrayReading, prepare_xray
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.data.xray_size import xray_size
from xraykit.render import FileError, InputError, Radiograph

SMALL = XrayInputSettings(size=32)


def is_bone_bright(xray: PreparedXray) -> bool:
    """The bone in the middle outshines the tissue beside it, and the air is black."""
    rows = xray.image[0, 12:20]
    return bool(rows[:, 15:17].mean() > rows[:, 10:12].mean() + 0.2 > 0.3)


def saved(path, array: np.ndarray):
    Image.fromarray(array).save(path)
    return path


def test_png_becomes_a_square_in_0_to_1(tmp_path):
    xray = prepare_xray(saved(tmp_path / "a.png", bone(60, 40)), SMALL)
    assert xray.image.shape == (1, 32, 32) and xray.image.dtype == torch.float32
    assert (float(xray.image.min()), float(xray.image.max())) == (0.0, 1.0)
    assert xray.size == (60, 40) and xray.grey.shape == (60, 40) and xray.name == "a.png"
    assert is_bone_bright(xray)
    assert not xray.image[0][~xray.inside].any()


def test_what_was_assumed_is_said(tmp_path):
    (note,) = prepare_xray(saved(tmp_path / "a.png", bone()), SMALL).notes
    assert note.startswith("polarity log_attenuation is assumed")
    assert prepare_xray(tmp_path / "a.png", SMALL, reading=XrayReading(polarity="log_attenuation")).notes == ()


def test_what_is_doubtful_about_the_file_is_a_note(tmp_path):
    dataset = xray_dataset((40 * bone(48, 48)).astype(np.uint16), BurnedInAnnotation="YES")
    notes = prepare_xray(write_xray(tmp_path / "x.dcm", dataset), SMALL).notes
    assert any(note.startswith("burnt-in text: ") for note in notes)


@pytest.mark.parametrize("kind", ["16 bit", "grey in colour", "jpeg", "tiff", "inverted", "radiograph", "array"])
def test_every_kind_of_file_shows_bone_bright(tmp_path, kind):
    grey = bone(48, 48)
    intensity = np.exp(-3.0 * grey / 255).astype(np.float32)
    reading = XrayReading(polarity="intensity") if kind == "inverted" else None
    source = {
        "16 bit": lambda: saved(tmp_path / "x.png", grey.astype(np.uint16) * 200),
        "grey in colour": lambda: saved(tmp_path / "x.png", np.repeat(grey[..., None], 3, 2)),
        "jpeg": lambda: saved(tmp_path / "x.jpeg", grey),
        "tiff": lambda: saved(tmp_path / "x.tif", 3.0 * grey.astype(np.float32) / 255),
        "inverted": lambda: saved(tmp_path / "x.png", np.round(60000 * intensity).astype(np.uint16)),
        "radiograph": lambda: Radiograph(torch.from_numpy(intensity)[None], "intensity"),
        "array": lambda: intensity,
    }[kind]()
    assert is_bone_bright(prepare_xray(source, SMALL, reading=reading))


@pytest.mark.parametrize("display", ["MONOCHROME1", "MONOCHROME2"])
def test_plates_shown_dark_or_bright_become_bone_bright(tmp_path, display):
    stored = bone(48, 48) if display == "MONOCHROME2" else 255 - bone(48, 48)
    data = xray_dataset(stored, modality="CR", PhotometricInterpretation=display)
    assert is_bone_bright(prepare_xray(write_xray(tmp_path / "x.dcm", data), SMALL))


def test_scale_of_intensities_does_not_matter():
    intensity = np.exp(-2.0 * bone() / 255)
    one, other = (prepare_xray(scale * intensity, SMALL).image for scale in (1.0, 4000.0))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_points_refer_to_the_original(tmp_path):
    xray = prepare_xray(saved(tmp_path / "a.png", bone(60, 40)), SMALL)
    middle = torch.tensor([20.0, 30.0])
    assert xray.from_original(middle).tolist() == [16.0, 16.0]
    assert xray.to_original(torch.tensor([16.0, 16.0])).tolist() == [20.0, 30.0]


def test_frames_are_chosen(tmp_path):
    pages = [Image.fromarray(bone(column=column)) for column in (0.5, 0.3)]
    pages[0].save(tmp_path / "cine.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match=r"cine\.tif holds 2 frames; choose one with --frame"):
        prepare_xray(tmp_path / "cine.tif", SMALL)
    second = prepare_xray(tmp_path / "cine.tif", SMALL, reading=XrayReading(frame=1))
    assert second.frame == 1 and not is_bone_bright(second)
    for frame in (2, -1):
        with pytest.raises(InputError, match=rf"cine\.tif holds 2 frames: --frame must be 0 to 1, .* got {frame}"):
            prepare_xray(tmp_path / "cine.tif", SMALL, reading=XrayReading(frame=frame))


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (7, 400)])
def test_an_image_of_too_few_pixels_is_refused_as_too_small(shape):
    words = f"at least 8 px wide and high to show a patient, got {shape[1]} x {shape[0]} px, which is too small"
    with pytest.raises(InputError, match=words):
        prepare_xray(np.random.default_rng(0).uniform(1, 2, shape), XrayInputSettings(size=32))


@pytest.mark.parametrize("field", ["whole", "exposed"])
@pytest.mark.parametrize("shape, words", [((1000, 8), "got 8 x 1000 px"), ((8, 1000), "got 1000 x 8 px")])
def test_an_image_too_thin_for_the_square_is_refused_as_such(shape, words, field):
    pixels = np.random.default_rng(0).uniform(1, 2, shape)
    with pytest.raises(InputError, match=f"enough to be read at 32 x 32 px, {words}, which is thinner than a pixel"):
        prepare_xray(pixels, XrayInputSettings(size=32, field=field))


def test_a_choice_of_frame_leaves_single_images_alone(tmp_path):
    saved(tmp_path / "a.png", bone())
    assert prepare_xray(tmp_path / "a.png", SMALL, reading=XrayReading(frame=5)).frame is None


def test_only_the_exposed_field_counts_where_the_network_wants_it():
    """A bright collimator border would set the scale."""
    lines = torch.from_numpy(bone(128, 128)).float() / 255
    blanked = torch.full((192, 192), 9.0)
    blanked[32:160, 32:160] = lines
    radiograph = Radiograph(blanked[None], "line_integral")
    whole, exposed = (
        prepare_xray(radiograph, XrayInputSettings(size=48, field=field)) for field in ("whole", "exposed")
    )
    assert whole.inside.all() and whole.image[0, 24, 24] < 0.2
    assert exposed.inside.float().mean() == pytest.approx(4 / 9, abs=0.06)
    assert exposed.image[0, 24, 24] > 0.7 and not exposed.image[0][~exposed.inside].any()


def test_what_was_prepared_is_taken_as_it_is():
    xray = prepare_xray(bone(40, 40) + 1.0, SMALL)
    assert prepare_xray(xray, XrayInputSettings(size=64)) is xray


@pytest.mark.parametrize(
    "xray, words",
    [
        (np.ones((8, 8)), "the value 1 in every pixel"),
        (np.zeros((4, 4, 3)), r"intensities \(H, W\), got shape \(4, 4, 3\)"),
        (np.full((4, 4), np.nan), "must be finite"),
        (3, "must be a file, a Radiograph or intensities"),
    ],
)
def test_what_shows_nothing_is_refused(xray, words):
    with pytest.raises(InputError, match=words):
        prepare_xray(xray, SMALL)


def test_colour_pictures_are_refused_unless_their_brightness_is_asked_for(tmp_path):
    colour = np.stack([bone(), bone() // 2, bone() // 3], -1)
    saved(tmp_path / "photo.png", colour)
    with pytest.raises(FileError, match="must be grey"):
        prepare_xray(tmp_path / "photo.png", SMALL)
    assert prepare_xray(tmp_path / "photo.png", SMALL, reading=XrayReading(colour="luma")).size == (60, 40)


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "a\0.png"])
def test_names_that_the_system_refuses_are_refused(tmp_path, name):
    for read in (prepare_xray, xray_size):
        with pytest.raises(FileError, match="does not exist"):
            read(tmp_path / name)


def test_files_that_are_missing_or_no_image_are_refused(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        prepare_xray(tmp_path / "gone.png", SMALL)
    (tmp_path / "text.png").write_text("no image", encoding="utf-8")
    with pytest.raises(FileError, match="must be an X-ray image"):
        prepare_xray(tmp_path / "text.png", SMALL)
