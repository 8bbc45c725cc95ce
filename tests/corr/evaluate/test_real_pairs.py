"""Real pairs: shares of what is predicted are those of closed forms, and cameras are those of a calibration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.corr_pairs import projection
from xraykit.corr.data import prepare_xray
from xraykit.corr.data.settings import XrayInputSettings
from xraykit.corr.evaluate import RealPair, pinhole_projection, prior_matrices, real_pair_rows
from xraykit.corr.scores import epipolar_band
from xraykit.render import InputError

GRID = 4


def pair(height: int = 64, width: int = 64, *, masks=None) -> RealPair:
    rng = np.random.default_rng(0)
    settings = XrayInputSettings(size=32)
    xrays = tuple(prepare_xray(rng.uniform(100, 1000, (height, width)).astype(np.float32), settings) for _ in range(2))
    views = torch.stack([projection(0.0), projection(90.0)])
    return RealPair("p", "s", xrays, views, masks or {})  # type: ignore[arg-type]


def test_all_of_what_lies_in_the_band_is_counted_and_nothing_else():
    own = pair()
    band = own.band(GRID).float()
    rows = real_pair_rows(own, {"in": band, "out": 1 - band, "all": torch.ones_like(band), "none": torch.zeros(16, 16)})
    found = {row.predictor: row for row in rows}
    assert found["in"].in_band == 1.0
    assert found["out"].in_band == 0.0
    assert found["all"].in_band == pytest.approx(float((band.mean(1).mean() + band.mean(0).mean()) / 2), abs=0.02)
    assert found["none"].answered == 0.0
    assert np.isnan(found["none"].in_band)
    assert np.isnan(found["all"].in_mask)


def test_mass_in_the_mask_of_the_other_view_is_that_of_its_patches():
    left, right = np.zeros((64, 64), dtype=bool), np.zeros((64, 64), dtype=bool)
    left[:16, :16] = True  # patch 0
    right[48:, 48:] = True  # patch 15
    own = pair(masks={"screw": (left, right)})
    hit, half = torch.zeros(16, 16), torch.zeros(16, 16)
    hit[0, 15] = 0.7
    half[0, 14] = half[0, 15] = 0.3
    rows = {(row.predictor, row.part): row for row in real_pair_rows(own, {"hit": hit, "half": half})}
    assert rows["hit", "screw"].patches == 2
    assert rows["hit", "screw"].in_mask == pytest.approx(1.0)
    assert rows["half", "screw"].in_mask == pytest.approx((0.5 + 1.0) / 2)


def test_a_point_is_projected_where_its_calibration_says():
    intrinsic = np.array([[500.0, 0, 30], [0, 400, 20], [0, 0, 1]])
    rotation, translation = np.diag([1.0, -1.0, -1.0]), np.array([1.0, 2.0, 900.0])
    view = pinhole_projection(intrinsic, rotation, translation, (40, 60)).numpy()
    point = np.array([10.0, -5.0, 100.0])
    pixel = intrinsic @ (rotation @ point + translation)
    x, y, z = view @ [*point, 1.0]
    assert (x / z * 60, y / z * 40) == pytest.approx((pixel[0] / pixel[2], pixel[1] / pixel[2]))


def test_padding_of_the_square_moves_the_band_with_it():
    square, flat = pair(64, 64), pair(32, 64)
    mixed = RealPair("p", "s", (square.xrays[0], flat.xrays[1]), square.projections)
    lowered = torch.tensor([[1, 0, 0], [0, 0.5, 0.25], [0, 0, 1]], dtype=torch.float64)  # half as high, in the middle
    expected = epipolar_band(square.projections[0], lowered @ square.projections[1], GRID)
    assert torch.equal(mixed.band(GRID), expected)
    assert not torch.equal(expected, square.band(GRID))


def test_priors_are_named_and_a_mean_of_another_grid_is_refused():
    own = pair()
    names = ["anything", "same place", "lesser thickness", "true pose's band x lesser thickness"]
    assert list(prior_matrices(own, GRID)) == names
    assert "mean C" in prior_matrices(own, GRID, torch.zeros(16, 16))
    rows = real_pair_rows(own, prior_matrices(own, GRID))
    assert rows[-1].in_band == pytest.approx(1.0)
    with pytest.raises(InputError, match="must be of a grid of 4 patches"):
        prior_matrices(own, GRID, torch.zeros(9, 9))
    with pytest.raises(InputError, match="of one patch grid"):
        real_pair_rows(own, {"a": torch.zeros(16, 16), "b": torch.zeros(9, 9)})
