"""Grey values: two percentiles become 0 and 1, whatever offset and gain line integrals have."""

import pytest
import torch
from xraykit.corr.data import XrayInputSettings, normalise_lines
from xraykit.render import InputError


def test_percentiles_become_0_and_1():
    lines = torch.arange(101.0).reshape(1, 101)
    grey = normalise_lines(lines, XrayInputSettings(low=10, high=60))
    torch.testing.assert_close(grey, ((lines - 10) / 50).clamp(0, 1))


def test_offset_and_gain_fall_out():
    lines = torch.rand(20, 30, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(normalise_lines(3 * lines + 7), normalise_lines(lines), atol=1e-5, rtol=0)


def test_pixels_that_do_not_count_are_0_and_have_no_say():
    lines, inside = torch.full((8, 8), 1e6), torch.zeros(8, 8, dtype=torch.bool)
    lines[2:5, 3:7], inside[2:5, 3:7] = torch.rand(3, 4, generator=torch.Generator().manual_seed(1)), True
    grey = normalise_lines(lines, inside=inside)
    torch.testing.assert_close(grey[2:5, 3:7], normalise_lines(lines[2:5, 3:7]))
    assert not bool(grey[~inside].any())


def test_few_bright_pixels_still_show_and_one_value_gives_zeros():
    lines = torch.zeros(50, 50)
    lines[0, 0] = 5.0
    assert float(normalise_lines(lines)[0, 0]) == 1.0
    assert not bool(normalise_lines(torch.full((4, 4), 3.0)).any())


def test_bad_images_are_refused():
    with pytest.raises(InputError, match=r"must be images .H, W. of one size"):
        normalise_lines(torch.zeros(1, 4, 4))
    with pytest.raises(InputError, match="must have a pixel that counts"):
        normalise_lines(torch.zeros(4, 4), inside=torch.zeros(4, 4, dtype=torch.bool))
    with pytest.raises(InputError, match="must be finite"):
        normalise_lines(torch.full((4, 4), float("nan")))
