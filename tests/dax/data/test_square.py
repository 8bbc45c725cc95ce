"""An image as the square input of a network."""

import pytest
import torch
from xraykit.dax.data import PreprocessSettings, square_map, to_square
from xraykit.render import InputError


def blob(height: int, width: int, row: float, column: float) -> torch.Tensor:
    """A bright spot of 3 pixels' width around a point, pixel centres at half-integers."""
    v, u = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
    return torch.exp(-((v - row) ** 2 + (u - column) ** 2) / (2 * 3.0**2))


def centre_of_mass(image: torch.Tensor) -> torch.Tensor:
    """(u, v)."""
    v, u = torch.arange(image.shape[0])[:, None] + 0.5, torch.arange(image.shape[1]) + 0.5
    return torch.stack([(image * u).sum(), (image * v).sum()]) / image.sum()


@pytest.mark.parametrize("fit", ["pad", "stretch", "crop"])
@pytest.mark.parametrize("shape", [(90, 120), (120, 90), (100, 100), (31, 57)])
@pytest.mark.parametrize("size", [48, 160])
def test_points_go_where_the_pixels_go(fit, shape, size):
    point = torch.tensor([0.47 * shape[1], 0.55 * shape[0]])
    image, mapping = to_square(blob(*shape, point[1], point[0]), PreprocessSettings(size=size, fit=fit))
    assert image.shape == (size, size)
    moved = mapping.to_input(point)
    assert (centre_of_mass(image) - moved).abs().max() < 0.06 * max(1, size / 50)
    torch.testing.assert_close(mapping.to_image(moved), point)


def test_a_square_image_of_the_right_size_stays():
    image = torch.rand(3, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    made, _ = to_square(image, PreprocessSettings(size=40))
    torch.testing.assert_close(made, image, atol=1e-6, rtol=0)


def test_padding_is_dark_and_even():
    made, mapping = to_square(torch.ones(20, 40), PreprocessSettings(size=80))
    assert mapping.target == (20, 0, 40, 80)
    assert float(made[20:60].min()) == 1
    assert float(made.sum()) == 40 * 80


def test_values_stay_in_range_though_the_kernel_overshoots():
    image = (torch.rand(64, 64, generator=torch.Generator().manual_seed(1)) > 0.5).float()
    made, _ = to_square(image, PreprocessSettings(size=100))
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1


@pytest.mark.parametrize("fit", ["pad", "stretch", "crop"])
def test_masks_keep_their_share_and_maps_come_back(fit):
    mapping = square_map(60, 80, size=120, fit=fit)
    mask = torch.zeros(60, 80, dtype=torch.bool)
    mask[20:40, 30:50] = True
    square = mapping.masks_to_input(mask)
    back = mapping.maps_to_image(square.float()) >= 0.5
    assert (back ^ mask).sum() <= 80  # the mask's outline
    scale = mapping.target[2] * mapping.target[3] / (mapping.source[2] * mapping.source[3])
    assert int(square.sum()) == pytest.approx(400 * scale, rel=0.06)


def test_an_image_of_another_size_is_refused():
    with pytest.raises(InputError, match="must be of"):
        square_map(10, 20, size=8).resized(torch.zeros(20, 10))
    with pytest.raises(InputError, match="at least one pixel"):
        square_map(0, 20, size=8)
