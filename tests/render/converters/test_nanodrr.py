"""nanodrr's matrices, in closed form."""

import pytest
import torch
from support.views import assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_nanodrr, to_nanodrr
from xraykit.render.errors import GeometryError

F64 = torch.float64


def test_inverse_intrinsics_turn_pixels_into_rays():
    numbers = to_nanodrr(camera(), poses())
    corner = numbers.sdd[:, None] * (numbers.k_inv @ torch.tensor([0.0, 0.0, 1.0], dtype=F64))
    assert corner[0].tolist() == pytest.approx([-17.25 * 2.5, -18.5 * 3.0, 1020.0])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_round_trip_keeps_every_number(mirrored, dtype):
    numbers = to_nanodrr(camera(), poses(dtype), mirrored=mirrored)
    view = from_nanodrr(*numbers[:3], height=30, width=41)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses(dtype)), atol=1e-3 if dtype == torch.float32 else 1e-9)


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_appear_where_nanodrrs_formula_puts_them(mirrored):
    numbers = to_nanodrr(camera(), poses(), mirrored=mirrored)
    local = torch.nn.functional.pad(box(), (0, 1), value=1.0) @ torch.linalg.inv(numbers.rt_inv).mT
    seen = local[..., :3] @ torch.linalg.inv(numbers.k_inv).mT
    torch.testing.assert_close(seen[..., :2] / seen[..., 2:], pixels(box(), camera(), poses(), mirrored=mirrored))


def test_skew_and_flipped_axes_are_refused():
    numbers = to_nanodrr(camera(), poses())
    skewed = numbers.k_inv.clone()
    skewed[:, 0, 1] = 1e-3
    with pytest.raises(GeometryError, match="skew"):
        from_nanodrr(skewed, 1020.0, numbers.rt_inv, height=30, width=41)
    with pytest.raises(GeometryError, match="positive focal lengths"):
        from_nanodrr(numbers.k_inv * torch.tensor([[-1.0], [1.0], [1.0]]), 1020.0, numbers.rt_inv, height=30, width=41)
    with pytest.raises(GeometryError, match="rt_inv must be floating point"):
        from_nanodrr(numbers.k_inv, 1020.0, numbers.rt_inv[:, :3], height=30, width=41)
