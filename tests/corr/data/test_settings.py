"""Settings out of range are refused with what would be right."""

import pytest
from xraykit.corr.data import ImageChangeSettings, PairSettings, XrayInputSettings
from xraykit.render import InputError


@pytest.mark.parametrize(
    ("cls", "values", "sentence"),
    [
        (XrayInputSettings, {"size": 4}, "size must be 8 or more pixels, got 4"),
        (XrayInputSettings, {"low": 60.0, "high": 40.0}, "low and high must be ascending percentiles"),
        (XrayInputSettings, {"field": "half"}, "field must be one of whole, exposed, got 'half'"),
        (PairSettings, {"size": 100, "grid": 16}, "size must be a multiple of the grid, got 100 px and 16 patches"),
        (PairSettings, {"mode": "paper"}, "mode must be one of share, hard, volume, got 'paper'"),
        (PairSettings, {"tissue": "liver"}, "tissue must be one of tissue, bone"),
        (PairSettings, {"unrelated": 1.0}, "unrelated must be a share from 0 to below 1"),
        (PairSettings, {"angles": (90.0, 30.0)}, "angles must be two ascending angles"),
        (PairSettings, {"views_per_item": 1}, "views_per_item must be 2 or more"),
        (ImageChangeSettings, {"roll": 190.0}, "roll must be 0 to 180, got 190"),
        (ImageChangeSettings, {"zoom": 1.0}, "zoom must be 0 to 0.9"),
        (ImageChangeSettings, {"mirror": 2.0}, "mirror must be a probability"),
        (ImageChangeSettings, {"noise": float("nan")}, "noise must be 0 to 1"),
    ],
)
def test_a_value_out_of_range_is_refused(cls, values, sentence):
    with pytest.raises(InputError, match=sentence):
        cls(**values)
