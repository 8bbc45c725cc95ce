"""Codes of places: relative where they rotate, the same at every resolution."""

import torch
from xraykit.corr.network.rotary import axial_angles, flat_angles, patch_centres, rotate, sine_code

G = torch.Generator().manual_seed(0)


def test_centres_are_row_major_x_right_y_down():
    centres = patch_centres(2)
    assert centres.tolist() == [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]


def test_a_rotation_keeps_lengths_and_products_depend_on_the_difference_of_places():
    q, k = torch.randn(8, generator=G, dtype=torch.float64), torch.randn(8, generator=G, dtype=torch.float64)
    angles = axial_angles(8, 4).double()
    product = rotate(q.expand(64, 8), angles) @ rotate(k.expand(64, 8), angles).T
    torch.testing.assert_close(rotate(q.expand(64, 8), angles).norm(dim=-1), q.norm().expand(64))
    # one to the right and two down, from two places
    torch.testing.assert_close(product[0, 17], product[19, 36], rtol=0, atol=1e-5)
    assert abs(product[0, 17] - product[0, 18]) > 1e-3


def test_half_of_the_angles_see_x_only_and_half_y_only():
    angles = axial_angles(4, 6).view(4, 4, 6)
    assert torch.equal(angles[0, :, :3], angles[3, :, :3]) and torch.equal(angles[:, 0, 3:], angles[:, 3, 3:])


def test_codes_of_a_place_are_the_same_on_a_grid_three_times_as_fine():
    centre = torch.tensor([(3 * i + 1) * 12 + 3 * j + 1 for i in range(4) for j in range(4)])
    torch.testing.assert_close(axial_angles(12, 8)[centre], axial_angles(4, 8))
    torch.testing.assert_close(sine_code(12, 16)[centre], sine_code(4, 16))


def test_flat_angles_count_tokens():
    angles = flat_angles(3, 2)
    torch.testing.assert_close(angles[:, 0], torch.arange(9.0))
    torch.testing.assert_close(angles[:, 1], torch.arange(9.0) / 100)
