"""The camera: its tensors, its defaults, and what it refuses."""

import math

import pytest
import torch
from xraykit.render import Camera
from xraykit.render.errors import GeometryError


def tensors(camera: Camera) -> list[list]:
    return [t.tolist() for t in camera.tensors(dtype=torch.float64, device="cpu")]


def test_one_number_means_square_pixels_and_the_principal_point_is_the_middle():
    camera = Camera(sdd=1000, height=100, width=50, pixel_spacing=0.5)
    assert tensors(camera) == [[1000.0], [[0.5, 0.5]], [[25.0, 50.0]]]


def test_spacing_is_row_then_column_and_principal_point_x_then_y():
    camera = Camera(sdd=1000.0, height=100, width=50, pixel_spacing=(0.2, 0.3), principal_point=(10.0, 20.0))
    assert tensors(camera) == [[1000.0], [[0.2, 0.3]], [[10.0, 20.0]]]


def test_batched_fields_keep_their_batch():
    camera = Camera(
        sdd=torch.tensor([900.0, 1000.0]), height=4, width=6, pixel_spacing=torch.ones(2, 2), principal_point=(1, 2)
    )
    sdd, spacing, centre = camera.tensors(dtype=torch.float32, device="cpu")
    assert (sdd.shape, spacing.shape, centre.shape) == ((2,), (2, 2), (1, 2))


def test_the_distance_as_a_number_is_that_of_the_first_camera_and_bare_of_its_gradient():
    given = (1020.0, torch.tensor(1020.0, requires_grad=True), torch.tensor([1020.0, 900.0]))
    numbers = [Camera(sdd=sdd, height=4, width=6).sdd_mm for sdd in given]
    assert numbers == [1020.0] * 3
    assert {type(number) for number in numbers} == {float}


def test_tensor_fields_receive_gradients():
    fields = {
        "sdd": torch.tensor(1000.0, requires_grad=True),
        "pixel_spacing": torch.tensor([0.2, 0.3], requires_grad=True),
        "principal_point": torch.tensor([1.0, 2.0], requires_grad=True),
    }
    sum(t.sum() for t in Camera(height=4, width=6, **fields).tensors(dtype=torch.float64, device="cpu")).backward()
    assert all(torch.equal(field.grad, torch.ones_like(field)) for field in fields.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 0}, "height must be a positive whole number of pixels, got height=0"),
        ({"width": -3}, "width must be a positive whole number"),
        ({"width": 2.5}, "width must be a positive whole number of pixels, got width=2.5"),
        ({"height": True}, "height must be a positive whole number"),
        ({"sdd": 0.0}, "sdd must be positive and finite, got sdd=0.0"),
        ({"sdd": math.inf}, "sdd must be positive and finite"),
        ({"sdd": torch.tensor([1.0, -1.0])}, "sdd must be positive and finite"),
        ({"sdd": torch.ones(2, 2)}, "sdd must be a number or"),
        ({"pixel_spacing": -1.0}, "pixel_spacing must be positive and finite"),
        ({"pixel_spacing": (1.0, 0.0)}, "pixel_spacing must be positive and finite"),
        ({"pixel_spacing": (1.0, 1.0, 1.0)}, "pixel_spacing must be"),
        ({"principal_point": (math.nan, 0.0)}, "principal_point must be finite"),
        ({"principal_point": 5.0}, "principal_point must be"),
    ],
)
def test_what_describes_no_camera_is_refused(change, message):
    with pytest.raises(GeometryError, match=message):
        Camera(**{"sdd": 1000.0, "height": 10, "width": 10, **change})
