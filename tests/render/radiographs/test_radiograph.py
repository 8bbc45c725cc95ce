"""Radiographs: what a pixel value means survives every conversion, and the camera follows the pixels."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import Camera, InputError, Radiograph
from xraykit.render.radiographs import Origin

INTEGRALS = torch.tensor([[[0.0, 0.5, 1.0], [2.0, 3.0, 4.0]]])


def intensity(**changes):
    return Radiograph(1000.0 * torch.exp(-INTEGRALS), "intensity", **changes)


def test_line_integral_of_an_intensity_is_its_negative_logarithm():
    found = intensity(unattenuated=1000.0).to_line_integrals()
    torch.testing.assert_close(found.pixels, INTEGRALS)
    assert found.polarity == "line_integral"
    assert found.unattenuated == 0.0


def test_all_polarities_of_one_exposure_give_the_same_line_integrals():
    transmitted = torch.exp(-INTEGRALS)
    same = [
        Radiograph(1000 * transmitted, "intensity", unattenuated=1000.0).to_line_integrals(),
        Radiograph(4095 - 1000 * transmitted, "inverted_intensity", unattenuated=3095.0, full_scale=4095.0)
        .to_line_integrals(),
        Radiograph(900 - 70 * INTEGRALS, "log_intensity", unattenuated=900.0).to_line_integrals(log_gain=70.0),
        Radiograph(20 + 70 * INTEGRALS, "log_attenuation", unattenuated=20.0).to_line_integrals(log_gain=70.0),
        Radiograph(INTEGRALS, "line_integral").to_line_integrals(),
    ]  # fmt: skip
    for found in same:
        torch.testing.assert_close(found.pixels, INTEGRALS, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("polarity", ["inverted_intensity", "log_intensity", "log_attenuation", "line_integral"])
def test_intensity_of_every_polarity_orders_pixels_by_transmission(polarity):
    dark_bone = polarity == "log_intensity"
    image = Radiograph(-INTEGRALS if dark_bone else INTEGRALS, polarity, unattenuated=0.0, full_scale=5.0)
    found = image.to_intensity(log_gain=1.0)
    assert found.polarity == "intensity"
    assert bool((found.pixels.flatten().diff() < 0).all())


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.floats(0, 12, width=32), min_size=4, max_size=4),
    full_scale=st.floats(1e-3, 1e5),
)
def test_round_trip_through_intensity_returns_the_line_integrals(values, full_scale):
    pixels = torch.tensor(values, dtype=torch.float64).reshape(1, 2, 2)
    there = Radiograph(pixels, "line_integral").to_intensity(full_scale=full_scale)
    torch.testing.assert_close(there.to_line_integrals().pixels, pixels, atol=1e-9, rtol=0)


def test_auto_takes_the_995th_permille_and_records_the_assumption():
    pixels = torch.arange(1.0, 1002.0).reshape(1, 1, -1)
    found = Radiograph(pixels, "intensity").to_line_integrals(unattenuated="auto")
    expected = -math.log(1.0 / 996.0)
    assert found.pixels.max().item() == pytest.approx(expected, rel=1e-5)
    assert found.pixels.min().item() < 0
    assert found.provenance["unattenuated"].is_assumed
    assert "unattenuated" in found.assumptions


def test_auto_looks_for_the_open_beam_at_the_dark_end_where_bone_is_bright():
    pixels = torch.arange(1.0, 1002.0).reshape(1, 1, -1)
    found = Radiograph(pixels, "log_attenuation").to_line_integrals(unattenuated="auto", log_gain=1.0)
    assert found.pixels.max().item() == pytest.approx(1001 - 6)


def test_dead_pixels_are_lifted_to_the_floor():
    image = Radiograph(torch.tensor([[[0.0, 1.0]]]), "intensity", unattenuated=1.0)
    assert image.to_line_integrals(floor=1e-3).pixels[0, 0, 0].item() == pytest.approx(-math.log(1e-3))


@pytest.mark.parametrize("polarity", ["intensity", "inverted_intensity", "log_intensity", "log_attenuation"])
def test_conversions_are_differentiable(polarity):
    def convert(pixels):
        image = Radiograph(pixels, polarity, unattenuated=1.0, full_scale=5.0)
        return image.to_line_integrals(log_gain=2.0).to_intensity().pixels

    pixels = torch.linspace(0.2, 3.0, 6, dtype=torch.float64).reshape(1, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(convert, pixels)


def test_conversion_leaves_the_original_alone():
    image = intensity(unattenuated=1000.0)
    before = image.pixels.clone()
    image.to_line_integrals()
    torch.testing.assert_close(image.pixels, before, rtol=0, atol=0)
    assert image.polarity == "intensity"


def test_frames_and_reductions():
    pixels = torch.tensor([1.0, 5.0, 3.0, 4.0]).reshape(4, 1, 1)
    image = Radiograph(pixels, "intensity", frame_times=(0.0, 0.1, 0.2, 0.3))
    assert image.with_frame(-1).pixels.item() == 4.0
    assert image.with_frame(1).frame_times == (0.1,)
    assert {how: image.reduce(how).pixels.item() for how in ("mean", "median", "max", "min")} == {
        "mean": 3.25,
        "median": 3.5,
        "max": 5.0,
        "min": 1.0,
    }
    assert image.reduce("max").frame_times is None


def test_crop_keeps_every_pixel_on_its_ray():
    camera = Camera(sdd=1000.0, height=6, width=8, pixel_spacing=(0.4, 0.2), principal_point=(3.5, 2.25))
    image = Radiograph(torch.arange(48.0).reshape(1, 6, 8), "intensity", camera=camera)
    cropped = image.crop(top=1, left=2, height=3, width=4)
    assert cropped.pixels[0, 0, 0] == image.pixels[0, 1, 2]
    assert tuple(cropped.camera.principal_point) == (1.5, 1.25)
    assert (cropped.camera.height, cropped.camera.width) == (3, 4)


def test_binning_keeps_the_field_of_view_and_the_mean():
    camera = Camera(sdd=1000.0, height=5, width=8, pixel_spacing=(0.4, 0.2), principal_point=(3.5, 2.0))
    image = Radiograph(torch.arange(40.0).reshape(1, 5, 8), "intensity", camera=camera)
    binned = image.binned(2)
    assert binned.pixels.shape == (1, 2, 4)
    assert binned.pixels[0, 0, 0].item() == pytest.approx((0 + 1 + 8 + 9) / 4)
    assert tuple(binned.camera.pixel_spacing) == pytest.approx((0.8, 0.4))
    assert tuple(binned.camera.principal_point) == pytest.approx((1.75, 1.0))


def test_to_another_device_keeps_the_rest():
    image = intensity(unattenuated=7.0)
    moved = image.to("cpu")
    assert moved.unattenuated == 7.0
    assert moved.pixels.is_cpu


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Radiograph(torch.zeros(2, 2), "intensity"), r"pixels must be .*\(frames, height, width\)"),
        (lambda: Radiograph(torch.zeros(1, 2, 2, dtype=torch.int32), "intensity"), "got torch.int32"),
        (lambda: Radiograph(torch.full((1, 2, 2), math.nan), "intensity"), "must be finite, got NaN"),
        (lambda: Radiograph(torch.zeros(1, 2, 2), "positive"), "polarity must be one of .*got 'positive'"),
        (lambda: Radiograph(torch.zeros(1, 2, 2), "inverted_intensity"), "needs full_scale"),
        (lambda: intensity(camera=Camera(sdd=1.0, height=9, width=9)), "must have the image size 2x3, got 9x9"),
        (lambda: intensity(frame_times=(0.0, 1.0)), "frame_times must name 1 frames, got 2"),
        (lambda: intensity().to_line_integrals(), "needs the value of the open beam"),
        (lambda: intensity().to_line_integrals(unattenuated=-1.0), "must have a positive intensity, got -1.0"),
        (lambda: intensity().to_line_integrals(unattenuated="auto", floor=2.0), "floor must lie between 0 and 1"),
        (lambda: Radiograph(INTEGRALS, "log_attenuation", unattenuated=0.0).to_line_integrals(), "needs log_gain > 0"),
        (lambda: Radiograph(INTEGRALS, "line_integral").to_intensity(full_scale=0.0), "full_scale must be positive"),
        (lambda: intensity().with_frame(1), r"frame must lie in \[-1, 0\], got 1"),
        (lambda: intensity().reduce("sum"), "how must be one of mean, median, max, min, got 'sum'"),
        (lambda: intensity().crop(top=1, height=2), "crop must lie inside the 2x3 image, got rows 1 to 3"),
        (lambda: intensity().binned(3), r"factor must lie in \[1, 2\], got 3"),
    ],
)
def test_bad_input_is_one_sentence(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_provenance_is_read_only_and_names_what_was_assumed():
    image = intensity(provenance={"sdd": Origin(1.0, "assumed", "guess"), "kvp": Origin(80, "KVP")})
    assert list(image.assumptions) == ["sdd"]
    with pytest.raises(TypeError):
        image.provenance["sdd"] = None
