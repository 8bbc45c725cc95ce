"""X-ray files read into shots."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.render import FileError, InputError
from xraykit.xvr import XraySettings, read_shot
from xraykit.xvr.xray import XrayDetails

MARKED = XrayDetails(burnt_in=False)
PLAIN = XraySettings(field_of_view="whole", details=MARKED)


def intensities(height: int = 24, width: int = 36) -> np.ndarray:
    """1000 exp(-L) with L growing to the right and downwards from 0 to 2."""
    y, x = np.mgrid[:height, :width]
    return np.round(60000 * np.exp(-(x / (width - 1) + y / (height - 1)))).astype(np.uint16)


def attenuation(pixels: np.ndarray) -> torch.Tensor:
    return -torch.log(torch.from_numpy(pixels.astype(np.float32)))


def dicom(tmp_path, pixels: np.ndarray, *, modality: str = "XA", **tags):
    return write_xray(tmp_path / "x.dcm", xray_dataset(pixels, modality=modality, **{**GEOMETRY, **tags}))


def png(tmp_path, pixels: np.ndarray):
    Image.fromarray(pixels).save(tmp_path / "x.png")
    return tmp_path / "x.png"


def up_to_gain_and_offset(image: torch.Tensor) -> torch.Tensor:
    return (image - image.mean()) / image.std()


def test_intensities_become_line_integrals_with_bone_bright(tmp_path):
    pixels = intensities()
    shot = read_shot(dicom(tmp_path, pixels), PLAIN)
    expected = attenuation(pixels)
    assert shot.image.dtype == torch.float32 and shot.valid is None and shot.name == "x"
    assert torch.allclose(shot.image - shot.image[0, 0], expected - expected[0, 0], atol=1e-5)


def test_the_camera_comes_from_the_tags(tmp_path):
    camera = read_shot(dicom(tmp_path, intensities()), PLAIN).camera
    assert (camera.sdd, camera.height, camera.width, camera.pixel_spacing) == (1000.0, 24, 36, (0.4, 0.2))


@pytest.mark.parametrize("shape", [(24, 36), (36, 24)])
def test_portrait_and_landscape_keep_rows_and_columns(tmp_path, shape):
    shot = read_shot(dicom(tmp_path, intensities(*shape)), PLAIN)
    assert tuple(shot.image.shape) == shape == (shot.camera.height, shot.camera.width)


def test_monochrome1_fluoroscopy_shows_the_same_as_monochrome2(tmp_path):
    pixels = intensities()
    upright = read_shot(dicom(tmp_path, pixels), PLAIN).image
    inverted = dicom(tmp_path, 65535 - pixels, PhotometricInterpretation="MONOCHROME1")
    assert torch.allclose(read_shot(inverted, PLAIN).image, upright, atol=1e-4)


def test_a_stated_polarity_overrules_the_file_and_is_no_assumption(tmp_path):
    path = dicom(tmp_path, intensities())
    assumed = read_shot(path, PLAIN)
    assert any(note.startswith("polarity:") for note in assumed.notes)
    stated = read_shot(path, XraySettings(field_of_view="whole", polarity="log_attenuation", details=MARKED))
    assert not any(note.startswith("polarity:") for note in stated.notes)
    assert float(stated.image[0, 0]) > float(stated.image[-1, -1])  # now high values are dense


def test_zeros_count_as_half_the_smallest_intensity(tmp_path):
    pixels = np.full((24, 36), 800, dtype=np.uint16)
    pixels[:, :10], pixels[:, 20:22], pixels[5, 5] = 100, 4, 0
    image = read_shot(dicom(tmp_path, pixels), PLAIN).image
    assert float(image[5, 5] - image[5, 20]) == pytest.approx(math.log(2), abs=1e-5)


def test_the_missing_distance_names_the_option_that_supplies_it(tmp_path):
    path = dicom(tmp_path, intensities(), DistanceSourceToDetector="")
    with pytest.raises(InputError, match=r"source to detector distance .*give it with --sdd MM"):
        read_shot(path)
    shot = read_shot(path, XraySettings(sdd=980.0, field_of_view="whole"))
    assert shot.camera.sdd == 980.0
    assert "principal_point: nothing states it, so the image's centre is taken" in shot.notes


def test_the_missing_spacing_names_the_option_that_supplies_it(tmp_path):
    path = dicom(tmp_path, intensities(), ImagerPixelSpacing="")
    with pytest.raises(InputError, match=r"pixel spacing at the detector .*give it with --pixel-spacing MM"):
        read_shot(path)
    assert read_shot(path, XraySettings(pixel_spacing=(0.3, 0.4))).camera.pixel_spacing == (0.3, 0.4)


def test_settings_overrule_the_tags(tmp_path):
    settings = XraySettings(sdd=1200.0, pixel_spacing=0.5, principal_point=(10.0, 12.5), field_of_view="whole")
    camera = read_shot(dicom(tmp_path, intensities()), settings).camera
    assert (camera.sdd, camera.pixel_spacing, camera.principal_point) == (1200.0, 0.5, (10.0, 12.5))


def test_a_screenshot_is_accepted_with_its_geometry_and_a_note(tmp_path):
    pixels = np.tile(np.arange(0, 250, 5, dtype=np.uint8), (40, 1))
    path = png(tmp_path, pixels)
    with pytest.raises(InputError, match="--sdd MM"):
        read_shot(path)
    shot = read_shot(path, XraySettings(sdd=1000.0, pixel_spacing=0.5, field_of_view="whole", details=MARKED))
    assert torch.allclose(up_to_gain_and_offset(shot.image), up_to_gain_and_offset(torch.from_numpy(pixels).float()))
    assert any("processed for display" in note for note in shot.notes)


def test_colour_is_refused_unless_its_brightness_is_asked_for(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    path = png(tmp_path, pixels)
    settings = XraySettings(sdd=1000.0, pixel_spacing=0.5)
    with pytest.raises(FileError, match="must be grey"):
        read_shot(path, settings)
    assert read_shot(path, XraySettings(sdd=1000.0, pixel_spacing=0.5, colour="luma")).image.shape == (40, 30)


def test_several_frames_need_a_choice(tmp_path):
    frames = np.stack([intensities(), intensities() // 2 + np.arange(36, dtype=np.uint16)])
    path = dicom(tmp_path, frames)
    with pytest.raises(InputError, match=r"2 frames; choose one with --frame N, .*--reduce"):
        read_shot(path)
    chosen = read_shot(path, XraySettings(frame=-1, field_of_view="whole", details=MARKED)).image
    expected = attenuation(frames[1])
    assert torch.allclose(chosen - chosen[0, 0], expected - expected[0, 0], atol=1e-5)
    with pytest.raises(InputError, match="either frame or reduce"):
        read_shot(path, XraySettings(frame=0, reduce="mean"))
    with pytest.raises(InputError, match="frame must lie in"):
        read_shot(path, XraySettings(frame=2))


def test_max_keeps_what_was_densest_at_any_moment(tmp_path):
    frames = np.stack([intensities()] * 3)
    frames[1, 4:8, 4:8] //= 4  # a bolus of contrast medium
    image = read_shot(dicom(tmp_path, frames), XraySettings(reduce="max", field_of_view="whole", details=MARKED)).image
    expected = attenuation(frames.min(0))
    assert torch.allclose(image - image[0, 0], expected - expected[0, 0], atol=1e-5)


def test_crop_keeps_the_rays(tmp_path):
    whole = read_shot(dicom(tmp_path, intensities()), XraySettings(principal_point=(17.0, 13.0), field_of_view="whole"))
    settings = XraySettings(principal_point=(17.0, 13.0), crop=4, field_of_view="whole", details=MARKED)
    cut = read_shot(dicom(tmp_path, intensities()), settings)
    assert cut.image.shape == (16, 28) and cut.camera.principal_point == (13.0, 9.0)
    assert torch.allclose(cut.image - cut.image[0, 0], whole.image[4:-4, 4:-4] - whole.image[4, 4], atol=1e-4)


@pytest.mark.parametrize("crop", [-1, 12])
def test_a_crop_that_leaves_nothing_is_refused(tmp_path, crop):
    with pytest.raises(InputError, match="crop must lie between"):
        read_shot(dicom(tmp_path, intensities()), XraySettings(crop=crop))


def test_mirroring_moves_the_principal_point_along(tmp_path):
    settings = XraySettings(principal_point=(10.0, 12.0), field_of_view="whole", details=MARKED)
    plain = read_shot(dicom(tmp_path, intensities()), settings)
    turned = read_shot(
        tmp_path / "x.dcm",
        XraySettings(principal_point=(10.0, 12.0), mirror=True, field_of_view="whole", details=MARKED),
    )
    assert torch.equal(turned.image, plain.image.flip(-1))
    assert turned.camera.principal_point == (26.0, 12.0)


def test_huge_images_are_averaged_in_blocks(tmp_path):
    settings = XraySettings(field_of_view="whole", details=XrayDetails(burnt_in=False, longest=32))
    shot = read_shot(dicom(tmp_path, intensities(64, 96)), settings)
    assert shot.image.shape == (21, 32)
    assert (shot.camera.height, shot.camera.width) == (21, 32)
    assert shot.camera.pixel_spacing == pytest.approx((1.2, 0.6))
    assert any("3x3 pixels" in note for note in shot.notes)


def test_background_is_cut_off_at_its_most_frequent_value(tmp_path):
    pixels = np.full((30, 30), 20000, dtype=np.uint16)
    pixels[10:15], pixels[20:22] = 10000, 40000  # a vessel, and brighter than the background
    settings = XraySettings(subtract_background=True, field_of_view="whole", details=MARKED)
    image = read_shot(dicom(tmp_path, pixels), settings).image
    assert float(image[0, 0]) == pytest.approx(0.0, abs=0.01) and float(image[21, 0]) == 0.0
    assert float(image[12, 0]) == pytest.approx(math.log(2), abs=0.02)


def test_the_remixed_data_keep_their_principal_point(tmp_path):
    path = dicom(tmp_path, intensities(), DetectorActiveOrigin=["2.0", "1.0"])
    assert read_shot(path, PLAIN).camera.principal_point == (18.0, 12.0)
    xvr = XraySettings(field_of_view="whole", details=XrayDetails(detector_active_origin="xvr"))
    assert read_shot(path, xvr).camera.principal_point == pytest.approx((18.0 + 1.0 / 0.2, 12.0 + 2.0 / 0.4))


def test_nan_is_refused(tmp_path):
    pixels = np.ones((20, 20), dtype=np.float32)
    pixels[3, 3] = np.nan
    Image.fromarray(pixels).save(tmp_path / "x.tiff")
    with pytest.raises(FileError, match="finite pixels, got NaN"):
        read_shot(tmp_path / "x.tiff", XraySettings(sdd=1000.0, pixel_spacing=1.0))


def test_an_image_without_any_intensity_is_refused(tmp_path):
    with pytest.raises(InputError, match="intensities above zero"):
        read_shot(dicom(tmp_path, np.zeros((20, 20), dtype=np.uint16)), PLAIN)


def test_a_constant_image_has_nothing_to_compare(tmp_path):
    with pytest.raises(InputError, match="nothing to compare"):
        read_shot(dicom(tmp_path, np.full((20, 20), 500, dtype=np.uint16)))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [({"field_of_view": "some"}, "auto, tags or whole"), ({"details": XrayDetails(longest=3)}, "at least 16")],
)
def test_options_out_of_range_are_refused(tmp_path, settings, reason):
    with pytest.raises(InputError, match=reason):
        read_shot(dicom(tmp_path, intensities()), XraySettings(**settings))


def test_distances_and_spacings_are_one_for_all_or_one_for_each_view():
    settings = XraySettings(sdd=(1000.0, 1100.0), pixel_spacing=(1.6, 3.2))
    both = [settings.of_view(n, 2) for n in range(2)]
    assert [own.sdd for own in both] == [1000.0, 1100.0]
    assert [own.pixel_spacing for own in both] == [(1.6, 3.2)] * 2
    each = XraySettings(pixel_spacing=(1.0, 2.0, 3.0, 4.0))
    assert [each.of_view(n, 2).pixel_spacing for n in range(2)] == [(1.0, 2.0), (3.0, 4.0)]
    assert XraySettings(pixel_spacing=0.3, sdd=900.0).of_view(1, 3) == XraySettings(pixel_spacing=0.3, sdd=900.0)
    assert XraySettings(pixel_spacing=(0.3,)).of_view(0, 1).pixel_spacing == (0.3, 0.3)
    with pytest.raises(InputError, match="--sdd must be given once, or once for each of 3 X-rays, got 2"):
        settings.of_view(0, 3)
    with pytest.raises(InputError, match="got 4 numbers"):
        each.of_view(0, 3)


def test_the_shot_says_whether_its_values_are_greys_and_whether_that_was_assumed(tmp_path):
    where = {"sdd": 1000.0, "pixel_spacing": 1.0}
    path = png(tmp_path, intensities().astype(np.uint8))
    polarities = (None, "intensity", "log_intensity", "log_attenuation", "line_integral")
    found = [read_shot(path, XraySettings(polarity=polarity, **where)).greys for polarity in polarities]
    assert found == ["assumed", "line_integral", "processed", "processed", "line_integral"]
    assert read_shot(dicom(tmp_path, intensities()), XraySettings()).greys == "line_integral"
    assert read_shot(dicom(tmp_path, intensities(), modality="DX"), XraySettings()).greys == "processed"


def test_what_nobody_stated_is_a_guess_that_a_failure_may_come_from(tmp_path):
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)).save(tmp_path / "a.png")
    known = {"sdd": 1000.0, "pixel_spacing": 1.0}
    polarity, mirror = read_shot(tmp_path / "a.png", XraySettings(**known)).guesses
    assert "bone may be dark" in polarity and "--polarity log_intensity" in polarity
    assert "mirrored" in mirror and "--mirror" in mirror
    stated = read_shot(tmp_path / "a.png", XraySettings(**known, polarity="log_intensity", mirror=False))
    assert stated.guesses == (
        "--polarity log_intensity says that bone is dark; if it is bright in the picture, give "
        "--polarity log_attenuation",
        "--no-mirror says that the picture is not mirrored left to right; if that is wrong, give --mirror",
    )


@pytest.mark.parametrize(
    ("tags", "says", "otherwise"),
    [
        ({"PixelIntensityRelationship": "LIN"}, "bone is dark", "--polarity inverted_intensity"),
        (
            {"PixelIntensityRelationship": "LIN", "PixelIntensityRelationshipSign": -1},
            "bone is bright",
            "--polarity intensity",
        ),
    ],
)
def test_what_a_tag_says_is_named_after_what_nobody_said(tmp_path, tags, says, otherwise):
    mirror, polarity = read_shot(dicom(tmp_path, intensities(), **tags), PLAIN).guesses
    assert mirror.startswith("nobody said otherwise") and polarity.startswith("PixelIntensityRelationship")
    assert says in polarity and polarity.endswith(otherwise)


@pytest.mark.parametrize(("flip", "option"), [("YES", "--no-mirror"), ("NO", "--mirror")])
def test_what_the_file_says_of_its_side_is_named(tmp_path, flip, option):
    shot = read_shot(dicom(tmp_path, intensities(), FieldOfViewHorizontalFlip=flip), PLAIN)
    assert any(line.startswith("the file says that the picture is") and line.endswith(option) for line in shot.guesses)


def test_a_camera_that_no_machine_has_is_a_doubt_in_one_sentence(tmp_path):
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)).save(tmp_path / "x.png")
    usual = read_shot(tmp_path / "x.png", XraySettings(sdd=1020.0, pixel_spacing=4.0))
    odd = read_shot(tmp_path / "x.png", XraySettings(sdd=10.2, pixel_spacing=300.0))
    (doubt,) = set(odd.doubts) - set(usual.doubts)
    assert "no X-ray machine has a source to detector distance of 10.2 mm" in doubt and "pixels of 300 mm" in doubt
